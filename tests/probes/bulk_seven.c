/* 200000 octets read seven at a time with read, blocking. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("send 200000");
  unsigned char octets[7];
  uint32_t crc = 0;
  long total = 0, n;
  while ((n = read(fd, octets, 7)) > 0) {
    crc = crc32_of(crc, octets, (size_t)n);
    total += n;
  }
  answer("end", n);
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
