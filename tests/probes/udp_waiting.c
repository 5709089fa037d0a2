/* Threads blocked in recv, poll, select and epoll_wait before the first datagram wake for it; a
 * signal ends recv with EINTR. */
#include "datagram.h"

static int fds[4];

static void* receive(void* unused) {
  (void)unused;
  char text[16];
  return (void*)(long)recv(fds[0], text, sizeof text, 0);
}

static void* polls(void* unused) {
  (void)unused;
  return (void*)(long)await(fds[1], POLLIN);
}

static void* selects(void* unused) {
  (void)unused;
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fds[2], &set);
  return (void*)(long)select(fds[2] + 1, &set, NULL, NULL, NULL);
}

static void* waits(void* unused) {
  (void)unused;
  struct epoll_event event;
  int set = epoll_create1(0);
  epoll_change(set, EPOLL_CTL_ADD, fds[3], EPOLLIN, 0);
  return (void*)(long)epoll_wait(set, &event, 1, -1);
}

static void nothing(int signal_number) { (void)signal_number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  void* (*const ways[4])(void*) = {receive, polls, selects, waits};
  struct sockaddr_in loopback = {.sin_family = AF_INET};
  pthread_t threads[4];
  char text[16];
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 4; ++i) {
    fds[i] = udp_socket(0);
    if (i % 2)
      must("bind", bind(fds[i], (struct sockaddr*)&loopback, sizeof loopback) == 0);
    else
      must("connect", connect(fds[i], PEER_SOCKADDR, PEER_LENGTH) == 0);
    pthread_create(&threads[i], NULL, ways[i], NULL);
  }
  usleep(100000);
  for (int i = 0; i < 4; ++i) {
    void* got;
    must("sendto", say(fds[i], "wake") == 4);
    pthread_join(threads[i], &got);
    answer("woken", (long)got);
  }
  start_ticks(nothing, 0);
  int fd = udp_connected();
  send(fd, "#silent", 7, 0);
  answer("interrupted", recv(fd, text, sizeof text, 0));
  return 0;
}
