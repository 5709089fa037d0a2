/* The child executes a program beside a connection that its parent has used to its end since, has
 * closed, and has shared with a second child: nothing is to be said of it. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  const int fd = peer("echo");
  int go[2], said[2], status;
  char octet, words[256];
  must("pipe", pipe(go) == 0 && pipe(said) == 0);
  const pid_t child = probe_fork();
  if (child == 0) {
    close(go[1]);
    must("go", read(go[0], &octet, 1) == 0);
    must("standard error", dup2(said[1], STDERR_FILENO) == STDERR_FILENO);
    close(said[0]);
    execlp("true", "true", NULL);
    _exit(1);
  }
  answer_echo(fd, "parent");
  must("shutdown", shutdown(fd, SHUT_WR) == 0);
  answer("the end", recv(fd, &octet, 1, 0));
  const pid_t second = probe_fork();
  if (second == 0) {
    close(go[1]);
    (void)read(go[0], &octet, 1);
    _exit(0);
  }
  close(fd);
  close(said[1]);
  close(go[0]);
  close(go[1]);
  must("waitpid", waitpid(child, &status, 0) == child);
  answer("status", status);
  must("waitpid", waitpid(second, &status, 0) == second);
  answer("said", read(said[0], words, sizeof words));
  return 0;
}
