/* fork with a listener: the child accepts; a server that forks for each connection; a listener
 * inherited and closed. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0), status;
  for (int i = 0; i < 2; ++i) {
    pid_t child = probe_fork();
    if (child == 0) {
      int fd = accept_from("accept", listener, call(listener, "echo"));
      answer_echo(fd, "in the child");
      exit(4);
    }
    waitpid(child, &status, 0);
    printf("status %x\n", status);
  }
  for (int i = 0; i < 2; ++i) {
    int fd = accept_from("accept", listener, call(listener, "echo"));
    pid_t child = probe_fork();
    if (child == 0) {
      close(listener);
      answer_echo(fd, "served by a child");
      exit(5);
    }
    close(fd);
    waitpid(child, &status, 0);
    printf("status %x\n", status);
  }
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "in the parent");
  return 0;
}
