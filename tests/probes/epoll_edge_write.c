/* An edge-triggered writer fills the socket; the edge comes when the peer reads. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[50000];
  char reply[64], key[64];
  int fd = peer_open(), set = epoll_create1(0);
  size_t total = 0;
  uint32_t crc = 0;
  snprintf(key, sizeof key, "%s", fresh_key());
  peer_script(fd, "hold %s", key);
  set_nonblocking(fd, 1);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 7);
  total = send_until_full(fd, &crc);
  peer_release(key);
  for (size_t more = 0; more < 12000000;) {
    fill_pattern(block, more, sizeof block);
    ssize_t n = send(fd, block, sizeof block, 0);
    if (n < 0) {
      struct epoll_event event;
      if (errno != EAGAIN || epoll_wait(set, &event, 1, -1) != 1) puts("odd");
      continue;
    }
    crc = crc32_of(crc, block, (size_t)n);
    more += (size_t)n;
    total += (size_t)n;
  }
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, total, crc);
  return 0;
}
