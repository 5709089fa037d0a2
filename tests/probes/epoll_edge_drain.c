/* An edge-triggered reader that drains 2 MB to EAGAIN never misses an edge. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0), ended = 0;
  unsigned char octets[5000];
  uint32_t crc = 0;
  long total = 0, n;
  set_nonblocking(fd, 1);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 7);
  peer_script(fd, "send 2000000");
  while (!ended) {
    struct epoll_event event;
    if (epoll_wait(set, &event, 1, -1) != 1) puts("epoll_wait odd");
    while ((n = recv(fd, octets, sizeof octets, 0)) > 0) {
      crc = crc32_of(crc, octets, (size_t)n);
      total += n;
    }
    ended = n == 0;
    if (n < 0 && errno != EAGAIN) ended = (int)answer("recv", n);
  }
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
