/* 1 MB through readv with pieces of 1, 100, 0 and 5000 octets, and back through writev of the same.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char space[5101];
  struct iovec pieces[4] = {{space, 1}, {space + 1, 100}, {space, 0}, {space + 101, 5000}};
  uint32_t crc = 0;
  long total = 0, n;
  int fd = peer("send 1000000");
  while ((n = readv(fd, pieces, 4)) > 0) {
    crc = crc32_of(crc, space, (size_t)n);
    total += n;
  }
  printf("total %ld crc %08x\n", total, crc);
  close(fd);

  char reply[64];
  fd = peer("digest");
  crc = 0;
  total = 0;
  for (int i = 0; i < 200; ++i) {
    fill_pattern(space, (size_t)total, sizeof space);
    n = writev(fd, pieces, 4);
    if (n != sizeof space) answer("writev", n);
    crc = crc32_of(crc, space, (size_t)n);
    total += n;
  }
  shutdown(fd, SHUT_WR);
  n = (long)recv_all(fd, reply, sizeof reply - 1);
  reply[n] = 0;
  printf("%s\n", reply);
  answer_arrived(reply, (size_t)total, crc);
  return 0;
}
