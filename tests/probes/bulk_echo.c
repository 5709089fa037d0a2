/* 4 MB through an echo with one non-blocking poll loop that writes 30000 and reads 10000 at a time.
 */
#include "probe.h"

enum { kTotal = 4000000 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[30000], in[10000];
  size_t sent = 0, got = 0, bad = 0;
  int fd = peer("echo");
  set_nonblocking(fd, 1);
  while (got < kTotal) {
    int ready = await(fd, sent < kTotal ? POLLIN | POLLOUT : POLLIN);
    if (ready & POLLOUT) {
      size_t count = kTotal - sent < sizeof out ? kTotal - sent : sizeof out;
      fill_pattern(out, sent, count);
      ssize_t n = write(fd, out, count);
      if (n > 0) sent += (size_t)n;
    }
    if (ready & POLLIN) {
      ssize_t n = read(fd, in, sizeof in);
      if (n == 0) break;
      for (ssize_t i = 0; i < n; ++i) bad += in[i] != pattern(got + (size_t)i);
      if (n > 0) got += (size_t)n;
    }
  }
  printf("got %zu bad %zu\n", got, bad);
  return 0;
}
