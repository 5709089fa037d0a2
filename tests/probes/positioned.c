/* preadv2 and pwritev2 at offset -1 work; at another offset, and pread and pwrite, they are ESPIPE,
 * as is lseek. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo");
  char first[4], second[4];
  struct iovec out[2] = {{"abc", 3}, {"de", 2}}, in[2] = {{first, 2}, {second, 3}};
  answer("pwritev2", pwritev2(fd, out, 2, -1, 0));
  await_octets(fd, 5);
  memset(first, '.', 4);
  memset(second, '.', 4);
  answer("preadv2", preadv2(fd, in, 2, -1, 0));
  printf("%.4s %.4s\n", first, second);
  answer("RWF_NOWAIT", preadv2(fd, in, 2, -1, RWF_NOWAIT));
  answer("preadv2 0", preadv2(fd, in, 2, 0, 0));
  answer("pwritev2 0", pwritev2(fd, out, 2, 0, 0));
  answer("preadv", preadv(fd, in, 2, 0));
  answer("pwritev", pwritev(fd, out, 2, 0));
  answer("pread", pread(fd, first, 1, 0));
  answer("pwrite", pwrite(fd, "x", 1, 0));
  answer("lseek", lseek(fd, 0, SEEK_SET));
  answer_echo(fd, "hello");
  return 0;
}
