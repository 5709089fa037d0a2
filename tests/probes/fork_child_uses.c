/* Only the child uses the inherited connection; the parent waits. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), status;
  pid_t child = probe_fork();
  if (child == 0) {
    answer_peername(fd);
    answer_echo(fd, "child");
    answer("shutdown", shutdown(fd, SHUT_WR));
    char octet;
    answer("recv", recv(fd, &octet, 1, 0));
    exit(6);
  }
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  return 0;
}
