/* A thread in poll and one in epoll_wait wake for octets that another thread asks for. */
#include "probe.h"

static int fd;

static void* poller(void* unused) {
  answer_poll("revents", await(fd, POLLIN));
  return unused;
}

static void* waiter(void* unused) {
  int set = epoll_create1(0);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
  answer_wait("epoll_wait", set, -1);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t thread;
  char text[16];
  fd = peer("parts a b c");
  answer_octets("recv", recv(fd, text, 16, 0), text);
  must("pthread_create", pthread_create(&thread, NULL, poller, NULL) == 0);
  usleep(20000);
  send_all(fd, "g", 1);
  pthread_join(thread, NULL);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  must("pthread_create", pthread_create(&thread, NULL, waiter, NULL) == 0);
  usleep(20000);
  send_all(fd, "g", 1);
  pthread_join(thread, NULL);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
