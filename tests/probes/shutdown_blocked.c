/* A thread that waits in send, poll, epoll_wait or recv wakes when another shuts the socket down.
 */
#include "probe.h"

static int fd, ready[2];
static char key[64];

static void* sender(void* unused) {
  static char block[100000];
  must("write", write(ready[1], "r", 1) == 1);
  for (;;) {
    ssize_t n = send(fd, block, sizeof block, MSG_NOSIGNAL);
    if (n >= 0) continue;
    answer("send", n);
    return unused;
  }
}

static void* poller(void* unused) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  must("write", write(ready[1], "r", 1) == 1);
  answer("poll", poll(&p, 1, -1));
  answer_poll("revents", p.revents & ~POLLHUP);
  return unused;
}

static void* epoller(void* unused) {
  struct epoll_event event = {0};
  int set = epoll_create1(0);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 7);
  must("write", write(ready[1], "r", 1) == 1);
  answer("epoll_wait", epoll_wait(set, &event, 1, -1));
  answer_epoll("events", event.events & ~(unsigned)EPOLLHUP);
  close(set);
  return unused;
}

static void* receiver(void* unused) {
  char text[8];
  must("write", write(ready[1], "r", 1) == 1);
  answer("recv", recv(fd, text, sizeof text, MSG_WAITALL));
  return unused;
}

static void shut(void* (*waiter)(void*), int how, const char* script) {
  pthread_t thread;
  char octet;
  fd = peer_open();
  if (script == NULL) {
    snprintf(key, sizeof key, "%s", fresh_key());
    peer_script(fd, "stash %s", key);
  } else {
    peer_script(fd, "%s", script);
  }
  must("pthread_create", pthread_create(&thread, NULL, waiter, NULL) == 0);
  must("read", read(ready[0], &octet, 1) == 1);
  usleep(20000); /* most often it waits by now; the answers are the same if not */
  int result = shutdown(fd, how);
  pthread_join(thread, NULL);
  answer("shutdown", result);
  close(fd);
  if (script == NULL) peer_release(key);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  must("pipe", pipe(ready) == 0);
  shut(sender, SHUT_WR, NULL);
  shut(sender, SHUT_RDWR, NULL);
  shut(poller, SHUT_RD, "discard");
  shut(poller, SHUT_RDWR, "discard");
  shut(epoller, SHUT_RD, "discard");
  shut(receiver, SHUT_RD, "discard");
  shut(receiver, SHUT_RDWR, "discard");
  return 0;
}
