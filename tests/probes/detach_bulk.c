/* The connection is inherited by one program after another while 4 MB go each way through it, with
 * octets waiting on both sides: none is lost, doubled or out of order. */
#include "probe.h"

enum { kTotal = 4000000 };
static int fd;

static void* writer(void* unused) {
  static unsigned char block[8192];
  for (size_t sent = 0; sent < kTotal;) {
    size_t part = kTotal - sent < sizeof block ? kTotal - sent : sizeof block;
    fill_pattern(block, sent, part);
    send_all(fd, block, part);
    sent += part;
  }
  shutdown(fd, SHUT_WR);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[10007];
  pthread_t thread;
  fd = peer("echo");
  must("pthread_create", pthread_create(&thread, NULL, writer, NULL) == 0);
  size_t got = 0, bad = 0;
  ssize_t n;
  while ((n = recv(fd, block, sizeof block, 0)) > 0) {
    for (ssize_t i = 0; i < n; ++i) bad += block[i] != pattern(got + (size_t)i);
    size_t before = got;
    got += (size_t)n;
    if (before / 1000000 != got / 1000000) system("true");
  }
  pthread_join(thread, NULL);
  answer("end", n);
  printf("got %zu bad %zu\n", got, bad);
  return 0;
}
