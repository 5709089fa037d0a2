/* The child uses the connection, the parent closes its own copy at once (a forking server's way,
 * turned round). */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), ends[2], status;
  char octet;
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    must("read", read(ends[0], &octet, 1) == 1);
    answer_echo(fd, "child");
    answer_echo(fd, "again");
    exit(6);
  }
  answer("close", close(fd));
  must("write", write(ends[1], "g", 1) == 1);
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  int other = peer("echo");
  answer_echo(other, "parent");
  return 0;
}
