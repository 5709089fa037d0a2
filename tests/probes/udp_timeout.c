/* SO_RCVTIMEO: EAGAIN after the time and not before, and a datagram in time; poll and epoll_wait
 * time out too. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), set = epoll_create1(0);
  char text[16];
  struct timeval brief = {0, 200000}, ample = {50, 0};
  struct timespec before, after;
  answer_datagram_echo(fd, "hello");
  answer("set", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief));
  say(fd, "#silent");
  clock_gettime(CLOCK_MONOTONIC, &before);
  answer("recv", recv(fd, text, sizeof text, 0));
  clock_gettime(CLOCK_MONOTONIC, &after);
  long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  printf("%s\n", ms >= 199 ? "not too early" : "too early");
  struct pollfd p = {.fd = fd, .events = POLLIN};
  answer("poll", poll(&p, 1, 50));
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 0);
  answer_wait("epoll_wait", set, 50);
  answer("set", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ample, sizeof ample));
  answer_datagram_echo(fd, "again");
  return 0;
}
