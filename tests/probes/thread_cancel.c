/* A thread cancelled in recv ends; the socket goes on working. */
#include "probe.h"

static int fd, ends[2];
static int cleaned;

static void clean(void* unused) {
  (void)unused;
  ++cleaned;
}

static void* reader(void* unused) {
  char text[16];
  pthread_cleanup_push(clean, NULL);
  must("write", write(ends[1], "r", 1) == 1);
  recv(fd, text, sizeof text, 0);
  pthread_cleanup_pop(0);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t thread;
  void* result = NULL;
  char octet;
  must("pipe", pipe(ends) == 0);
  fd = peer("echo");
  for (int i = 0; i < 3; ++i) {
    must("pthread_create", pthread_create(&thread, NULL, reader, NULL) == 0);
    must("read", read(ends[0], &octet, 1) == 1);
    usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled %d cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
    answer_echo(fd, "hello");
  }
  return 0;
}
