/* sendfile from a file with and without an offset, beyond the end, to a full digest. */
#include "probe.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char all[300000];
  char reply[64];
  int file = memfd_create("probe", 0), fd = peer("digest");
  fill_pattern(all, 0, sizeof all);
  must("write", write(file, all, sizeof all) == sizeof all);
  off_t offset = 1000;
  long total = 0, n;
  while (total < 100000 && (n = sendfile(fd, file, &offset, (size_t)(100000 - total))) > 0)
    total += n;
  printf("sent %ld offset %ld position %ld\n", total, (long)offset, (long)lseek(file, 0, SEEK_CUR));
  must("lseek", lseek(file, 200000, SEEK_SET) == 200000);
  total = 0;
  while ((n = sendfile(fd, file, NULL, 1000000)) > 0) total += n;
  answer("end", n);
  printf("sent %ld position %ld\n", total, (long)lseek(file, 0, SEEK_CUR));
  off64_t far = 290000;
  total = 0;
  while ((n = sendfile64(fd, file, &far, 5000000)) > 0) total += n;
  printf("sent %ld offset %ld\n", total, (long)far);
  answer("nothing", sendfile(fd, file, NULL, 0));
  answer("bad file", sendfile(fd, -1, NULL, 10));
  answer("socket to file", sendfile(file, fd, NULL, 10));
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  uint32_t crc = crc32_of(0, all + 1000, 100000);
  crc = crc32_of(crc, all + 200000, 100000);
  crc = crc32_of(crc, all + 290000, 10000);
  answer_arrived(reply, 210000, crc);
  return 0;
}
