/* Children that inherit a connection and end, by exit, _exit, close or a signal, do not end the
 * parent's. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), status;
  for (int i = 0; i < 4; ++i) {
    pid_t child = probe_fork();
    if (child == 0) {
      if (i == 0) exit(3);
      if (i == 1) _exit(4);
      if (i == 2) _exit(close(fd));
      raise(SIGKILL);
    }
    answer("waitpid", waitpid(child, &status, 0) == child);
    printf("status %x\n", status);
    answer_echo(fd, "hello");
  }
  return 0;
}
