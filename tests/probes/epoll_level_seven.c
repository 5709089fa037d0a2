/* A level-triggered reader that takes seven octets per event from 64 KB: never an event without an
 * octet, never a stall. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("send 65536"), set = epoll_create1(0), empty = 0;
  unsigned char octets[7];
  uint32_t crc = 0;
  long total = 0, n;
  set_nonblocking(fd, 1);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 7);
  for (;;) {
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, -1) != 1) puts("epoll_wait odd");
    n = recv(fd, octets, 7, 0);
    if (n == 0) break;
    if (n < 0) {
      ++empty;
      continue;
    }
    crc = crc32_of(crc, octets, (size_t)n);
    total += n;
  }
  printf("total %ld crc %08x empty %d\n", total, crc, empty);
  return 0;
}
