/* The same, seven octets at a time from 64 KB. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0), ended = 0;
  unsigned char octets[7];
  uint32_t crc = 0;
  long total = 0, n;
  set_nonblocking(fd, 1);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 7);
  peer_script(fd, "send 65536");
  while (!ended) {
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, -1) != 1) puts("epoll_wait odd");
    while ((n = read(fd, octets, sizeof octets)) > 0) {
      crc = crc32_of(crc, octets, (size_t)n);
      total += n;
    }
    ended = n == 0;
    if (n < 0 && errno != EAGAIN) ended = (int)answer("read", n);
  }
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
