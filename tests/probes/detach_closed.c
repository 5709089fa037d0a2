/* A thread is blocked in recv on a number that another closes; the duplicate becomes standard
 * input. The recv gets what comes. */
#include "probe.h"

static int fd, ends[2];

static void* reader(void* unused) {
  char text[16];
  const pid_t self = gettid();
  must("write", write(ends[1], &self, sizeof self) == sizeof self);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pthread_t thread;
  pid_t tid;
  must("pipe", pipe(ends) == 0);
  fd = peer("echo");
  const int copy = dup(fd);
  must("pthread_create", pthread_create(&thread, NULL, reader, NULL) == 0);
  must("read", read(ends[0], &tid, sizeof tid) == sizeof tid);
  await_waiting(tid);
  answer("close", close(fd));
  answer("dup2", dup2(copy, 0));
  send_all(copy, "one", 3);
  pthread_join(thread, NULL);
  answer_echo(copy, "two");
  answer_echo(0, "three");
  return 0;
}
