/* An edge-triggered reader that believes FIONREAD, as nginx does: more than it counted has come since, with an edge. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0), ended = 0, counted;
  unsigned char octets[4096];
  uint32_t crc = 0;
  long total = 0, n, left;
  set_nonblocking(fd, 1);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, 7);
  peer_script(fd, "send 2000000");
  while (!ended) {
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, -1) != 1) puts("epoll_wait odd");
    left = -1; /* not counted yet */
    while ((n = recv(fd, octets, sizeof octets, 0)) > 0) {
      crc = crc32_of(crc, octets, (size_t)n);
      total += n;
      if (left >= 0) {
        left -= n;
        if (left < 0) break;
      } else if (n == (long)sizeof octets) {
        must("FIONREAD", ioctl(fd, FIONREAD, &counted) == 0);
        left = counted;
      }
      if (n < (long)sizeof octets && !(event.events & EPOLLRDHUP)) break;
      usleep(100); /* more comes than one look at the queue shows */
    }
    ended = n == 0;
    if (n < 0 && errno != EAGAIN) ended = (int)answer("recv", n);
  }
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
