/* 20000 writes of 1 to 13 octets arrive as one stream. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  unsigned char octets[13];
  char reply[64];
  size_t total = 0;
  uint32_t crc = 0;
  int fd = peer("digest");
  for (size_t i = 0; i < 20000; ++i) {
    size_t count = 1 + i % 13;
    fill_pattern(octets, total, count);
    if (write(fd, octets, count) != (ssize_t)count) puts("write odd");
    crc = crc32_of(crc, octets, count);
    total += count;
  }
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, total, crc);
  printf("%s\n", reply);
  return 0;
}
