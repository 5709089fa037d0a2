/* Sixteen threads with a socket each, and eight that share one: every echo is right, none is lost.
 */
#include "datagram.h"

enum { kThreads = 16, kShared = 8, kRounds = 50 };

static int shared, returned[kShared * kRounds];

static void* own(void* unused) {
  (void)unused;
  int fd = udp_socket(0);
  long right = 0;
  for (int i = 0; i < kRounds; ++i) {
    char text[64], back[64] = {0};
    snprintf(text, sizeof text, "%p %d", (void*)&fd, i);
    must("sendto", say(fd, text) > 0);
    must("recv", recv(fd, back, sizeof back - 1, 0) > 0);
    right += strcmp(text, back) == 0;
  }
  close(fd);
  return (void*)right;
}

static void* common(void* number) {
  for (int i = 0; i < kRounds; ++i) {
    char text[16], back[16] = {0};
    snprintf(text, sizeof text, "%ld", (long)number * kRounds + i);
    must("sendto", say(shared, text) > 0);
    must("recv", recv(shared, back, sizeof back - 1, 0) > 0);
    __atomic_add_fetch(&returned[atoi(back)], 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t threads[kThreads];
  long right = 0, once = 0;
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, own, NULL);
  for (int i = 0; i < kThreads; ++i) {
    void* count;
    pthread_join(threads[i], &count);
    right += (long)count;
  }
  answer("own", right);
  shared = udp_socket(0);
  for (long i = 0; i < kShared; ++i) pthread_create(&threads[i], NULL, common, (void*)i);
  for (int i = 0; i < kShared; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kShared * kRounds; ++i) once += returned[i] == 1;
  answer("shared", once);
  return 0;
}
