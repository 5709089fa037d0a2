/* What a read costs on a descriptor that is no proxied connection, in nanoseconds: run it with and
 * without the shim. Reading /dev/null is as little as the kernel can do. The median of short batches,
 * few of which something interrupts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { kBatches = 1000, kReads = 2000 };

static int by_value(const void* a, const void* b) {
  const double left = *(const double*)a, right = *(const double*)b;
  return (left > right) - (left < right);
}

int main(void) {
  static double times[kBatches];
  const int fd = open("/dev/null", O_RDONLY);
  for (int batch = 0; batch < kBatches; batch++) {
    struct timespec start, end;
    char octet;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < kReads; i++) {
      if (read(fd, &octet, 1) != 0) return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    times[batch] = ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / kReads;
  }
  qsort(times, kBatches, sizeof *times, by_value);
  printf("%.2f\n", times[kBatches / 2]);
  return 0;
}
