/* The same with select. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("send 65536"), empty = 0;
  unsigned char octets[7];
  uint32_t crc = 0;
  long total = 0, n;
  set_nonblocking(fd, 1);
  for (;;) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    if (select(fd + 1, &readable, NULL, NULL, NULL) != 1) puts("select odd");
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
