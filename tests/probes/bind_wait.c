/* accept that waits: in a thread, woken by the connection; ended by SO_RCVTIMEO, by a signal, by
 * shutdown. */
#include "listener.h"

static int listener;

static void* accepts(void* unused) {
  (void)unused;
  int fd = accept(listener, NULL, NULL);
  return (void*)(long)(fd < 0 ? -errno : fd);
}

static void nothing(int signal_number) { (void)signal_number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct timeval brief = {0, 200000}, ever = {0, 0};
  pthread_t thread;
  void* got;
  listener = listening(0);
  pthread_create(&thread, NULL, accepts, NULL);
  usleep(50000);
  call(listener, "echo");
  pthread_join(thread, &got);
  answer_echo((int)(long)got, "woken");
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  answer("timeout", accept(listener, NULL, NULL));
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &ever, sizeof ever);
  pthread_create(&thread, NULL, accepts, NULL);
  usleep(50000);
  answer("shutdown", shutdown(listener, SHUT_RD));
  pthread_join(thread, &got);
  printf("%s\n", errno_name(-(int)(long)got));
  listener = listening(0);
  start_ticks(nothing, 0);
  answer("interrupted", accept(listener, NULL, NULL));
  return 0;
}
