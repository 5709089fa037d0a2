/* The child uses the connection after the parent has exited. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), ends[2];
  char octet;
  must("pipe", pipe(ends) == 0);
  if (probe_fork() == 0) {
    close(ends[1]);
    if (read(ends[0], &octet, 1) != 0) _exit(1); /* the parent has gone */
    answer_echo(fd, "child");
    answer_echo(fd, "again");
    return 0;
  }
  return 6;
}
