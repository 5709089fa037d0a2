/* 8 MB through an echo, blocking both ways in two threads, under a signal every 10 ms with
 * SA_RESTART. */
#include "probe.h"

enum { kTotal = 8000000 };
static int fd;

static void tick(int number) { (void)number; }

static void* writer(void* unused) {
  static unsigned char block[65000];
  for (size_t sent = 0; sent < kTotal;) {
    size_t count = kTotal - sent < sizeof block ? kTotal - sent : sizeof block;
    fill_pattern(block, sent, count);
    send_all(fd, block, count);
    sent += count;
  }
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[9000];
  pthread_t thread;
  size_t got = 0, bad = 0;
  ssize_t n;
  fd = peer("echo");
  start_ticks(tick, SA_RESTART);
  must("pthread_create", pthread_create(&thread, NULL, writer, NULL) == 0);
  while (got < kTotal && (n = read(fd, block, sizeof block)) > 0) {
    for (ssize_t i = 0; i < n; ++i) bad += block[i] != pattern(got + (size_t)i);
    got += (size_t)n;
  }
  pthread_join(thread, NULL);
  printf("got %zu bad %zu\n", got, bad);
  return 0;
}
