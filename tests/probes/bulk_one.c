/* 100000 octets read one at a time. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("send 100000");
  unsigned char octet;
  uint32_t crc = 0;
  long total = 0;
  while (recv(fd, &octet, 1, 0) == 1) {
    crc = crc32_of(crc, &octet, 1);
    ++total;
  }
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
