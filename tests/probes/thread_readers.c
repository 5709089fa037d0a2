/* Four threads read one stream; together they have each octet once. */
#include "probe.h"

static int fd;
static long total, sum;

static void* reader(void* unused) {
  unsigned char octets[777];
  ssize_t n;
  while ((n = recv(fd, octets, sizeof octets, 0)) > 0) {
    long part = 0;
    for (ssize_t i = 0; i < n; ++i) part += octets[i];
    __atomic_add_fetch(&total, n, __ATOMIC_RELAXED);
    __atomic_add_fetch(&sum, part, __ATOMIC_RELAXED);
  }
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[4];
  fd = peer("send 1000000");
  for (int i = 0; i < 4; ++i)
    must("pthread_create", pthread_create(&threads[i], NULL, reader, NULL) == 0);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  printf("total %ld sum %ld\n", total, sum);
  return 0;
}
