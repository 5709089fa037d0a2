/* 64 KB read seven octets per poll: never a wake-up without an octet, never a stall. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("send 65536"), empty = 0;
  unsigned char octets[7];
  uint32_t crc = 0;
  long total = 0, n;
  set_nonblocking(fd, 1);
  for (;;) {
    await(fd, POLLIN);
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
