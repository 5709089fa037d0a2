/* Parent and child take turns on one connection, each reading and writing. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo");
  answer_echo(fd, "parent 1");
  for (int i = 0; i < 3; ++i) {
    pid_t child = probe_fork();
    if (child == 0) {
      answer_echo(fd, "child");
      exit(0);
    }
    waitpid(child, NULL, 0);
    answer_echo(fd, "parent 2");
  }
  return 0;
}
