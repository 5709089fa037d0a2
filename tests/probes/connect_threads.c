/* 32 threads connect at once, each has its own echo. */
#include "probe.h"

static void* one(void* argument) {
  char text[32], back[32];
  int length = snprintf(text, sizeof text, "thread %ld", (long)argument);
  int fd = peer("echo");
  send_all(fd, text, (size_t)length);
  long good = recv_all(fd, back, (size_t)length) == (size_t)length &&
              memcmp(text, back, (size_t)length) == 0;
  close(fd);
  return (void*)good;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[32];
  long good = 0;
  for (long i = 0; i < 32; ++i)
    must("pthread_create", pthread_create(&threads[i], NULL, one, (void*)i) == 0);
  for (int i = 0; i < 32; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    good += (long)result;
  }
  answer("good", good);
  return 0;
}
