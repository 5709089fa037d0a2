/* poll, ppoll, select, pselect and epoll_wait with nothing there time out, and not too early. */
#include "probe.h"

static struct timespec begun;

static void start(void) { clock_gettime(CLOCK_MONOTONIC, &begun); }

static void waited(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long ms = (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000;
  puts(ms >= 49 && ms < 60000 ? "waited" : "did not wait");
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("discard"), set = epoll_create1(0);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  struct timespec limit = {0, 50000000};
  struct timeval micro = {0, 50000};
  fd_set readable;
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
  start();
  answer("poll", poll(&p, 1, 50));
  waited();
  start();
  answer("ppoll", ppoll(&p, 1, &limit, NULL));
  printf("limit %ld\n", limit.tv_nsec);
  waited();
  start();
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  answer("select", select(fd + 1, &readable, NULL, NULL, &micro));
  printf("set %d limit %ld\n", FD_ISSET(fd, &readable) != 0, (long)micro.tv_usec);
  waited();
  start();
  FD_SET(fd, &readable);
  answer("pselect", pselect(fd + 1, &readable, NULL, NULL, &limit, NULL));
  printf("set %d limit %ld\n", FD_ISSET(fd, &readable) != 0, limit.tv_nsec);
  waited();
  start();
  answer_wait("epoll_wait", set, 50);
  waited();
  return 0;
}
