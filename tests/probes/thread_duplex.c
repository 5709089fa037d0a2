/* One thread writes 2 MB, another reads the echo of it, on one blocking socket. */
#include "probe.h"

enum { kTotal = 2000000 };
static int fd;

static void* writer(void* unused) {
  static unsigned char block[12345];
  for (size_t sent = 0; sent < kTotal;) {
    size_t count = kTotal - sent < sizeof block ? kTotal - sent : sizeof block;
    fill_pattern(block, sent, count);
    send_all(fd, block, count);
    sent += count;
  }
  shutdown(fd, SHUT_WR);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[7777];
  pthread_t thread;
  size_t got = 0, bad = 0;
  ssize_t n;
  fd = peer("echo");
  must("pthread_create", pthread_create(&thread, NULL, writer, NULL) == 0);
  while ((n = recv(fd, block, sizeof block, 0)) > 0) {
    for (ssize_t i = 0; i < n; ++i) bad += block[i] != pattern(got + (size_t)i);
    got += (size_t)n;
  }
  pthread_join(thread, NULL);
  answer("end", n);
  printf("got %zu bad %zu\n", got, bad);
  return 0;
}
