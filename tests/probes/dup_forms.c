/* dup, dup2, dup3, F_DUPFD and F_DUPFD_CLOEXEC of a connection: the lowest numbers, the flags, an
 * echo through each. */
#include "probe.h"

static void use(const char* what, int first, int fd) {
  printf("%s offset %d ", what, fd - first);
  answer("FD_CLOEXEC", fcntl(fd, F_GETFD));
  answer_peername(fd);
  answer_echo(fd, what);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo");
  use("dup", fd, dup(fd));
  use("dup2", fd, dup2(fd, fd + 10));
  use("dup3", fd, dup3(fd, fd + 11, O_CLOEXEC));
  use("F_DUPFD", fd, fcntl(fd, F_DUPFD, fd + 20));
  use("F_DUPFD_CLOEXEC", fd, fcntl(fd, F_DUPFD_CLOEXEC, fd + 20));
  use("high", fd, dup2(fd, fd + 700));
  answer("dup2 itself", dup2(fd, fd) - fd);
  answer("dup3 itself", dup3(fd, fd, 0));
  answer("dup3 flags", dup3(fd, fd + 1, 0x40));
  answer("dup2 bad", dup2(fd, -1));
  answer("dup2 of bad", dup2(800, fd));
  answer("F_DUPFD bad", fcntl(fd, F_DUPFD, -1));
  use("still", fd, fd);
  return 0;
}
