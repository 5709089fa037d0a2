/* main ends by pthread_exit, beside a connection, one that a forked child has had too: with the
 * last thread the process ends, with 0. */
#include "probe.h"

static int fd;

static void* last(void* unused) {
  usleep(100000);
  answer_echo(fd, "still here");
  return unused;
}

int main(int argc, char** argv) {
  int status;
  probe_start(argc, argv);
  for (int how = 0; how < 3; ++how) {
    pid_t child = probe_fork();
    if (child == 0) {
      pthread_t thread;
      alarm(10);
      fd = peer("echo");
      answer_echo(fd, "hello");
      if (how != 0) {
        pid_t grandchild = probe_fork();
        if (grandchild == 0) _exit(0);
        waitpid(grandchild, NULL, 0);
      }
      if (how != 2) {
        must("thread", pthread_create(&thread, NULL, &last, NULL) == 0);
        pthread_detach(thread);
      }
      pthread_exit(NULL);
    }
    waitpid(child, &status, 0);
    answer("status", status);
  }
  return 0;
}
