/* Four threads write records of ten octets to one socket; none is torn. */
#include "probe.h"

static int fd;

static void* writer(void* argument) {
  char record[10];
  memset(record, 'a' + (int)(long)argument, sizeof record);
  for (int i = 0; i < 1000; ++i)
    if (write(fd, record, sizeof record) != sizeof record) puts("write odd");
  return NULL;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[4];
  int counts[4] = {0}, torn = 0;
  char record[10];
  fd = peer("echo");
  for (long i = 0; i < 4; ++i)
    must("pthread_create", pthread_create(&threads[i], NULL, writer, (void*)i) == 0);
  for (int i = 0; i < 4000; ++i) {
    if (recv_all(fd, record, sizeof record) != sizeof record) break;
    for (int k = 1; k < 10; ++k) torn += record[k] != record[0];
    if (record[0] >= 'a' && record[0] < 'e') ++counts[record[0] - 'a'];
  }
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  printf("%d %d %d %d torn %d\n", counts[0], counts[1], counts[2], counts[3], torn);
  return 0;
}
