/* The child reads the echo of 1 MB that the parent writes. */
#include "probe.h"

enum { kTotal = 1000000 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[10000];
  int fd = peer("echo");
  pid_t child = probe_fork();
  if (child == 0) {
    size_t got = 0, bad = 0;
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0) {
      for (ssize_t i = 0; i < n; ++i) bad += block[i] != pattern(got + (size_t)i);
      got += (size_t)n;
    }
    printf("got %zu bad %zu\n", got, bad);
    exit(0);
  }
  for (size_t sent = 0; sent < kTotal; sent += sizeof block) {
    fill_pattern(block, sent, sizeof block);
    send_all(fd, block, sizeof block);
  }
  int result = shutdown(fd, SHUT_WR);
  waitpid(child, NULL, 0);
  answer("shutdown", result);
  return 0;
}
