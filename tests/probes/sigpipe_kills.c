/* Without a handler the SIGPIPE of a write after shutdown ends the process. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  pid_t child = probe_fork();
  if (child == 0) {
    int fd = peer("discard");
    shutdown(fd, SHUT_WR);
    if (write(fd, "x", 1) < 0) _exit(1);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("signal %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "none");
  return 0;
}
