/* The child executes a program with a connection that its parent has closed since the fork. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int ends[2], fds[2], status;
  char script[128], octet;
  for (int i = 0; i < 2; ++i) {
    fds[i] = peer("echo");
    answer_echo(fds[i], "parent");
  }
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    close(ends[1]);
    must("end", read(ends[0], &octet, 1) == 0);
    snprintf(script, sizeof script, "for n in %d %d; do echo child >&$n; head -n1 <&$n; done", fds[0], fds[1]);
    execlp("bash", "bash", "-c", script, NULL);
    _exit(1);
  }
  for (int i = 0; i < 2; ++i) close(fds[i]);
  close(ends[0]);
  close(ends[1]);
  must("waitpid", waitpid(child, &status, 0) == child);
  answer("status", status);
  return 0;
}
