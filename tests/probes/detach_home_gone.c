/* A child executes a program with the connection when its parent has closed it, or has gone. */
#include "probe.h"

static void await_end(int fd) {
  char octet;
  must("pipe", read(fd, &octet, 1) == 0);
}

static void execute(char** argv, int fd) {
  char number[16];
  snprintf(number, sizeof number, "%d", fd);
  execl("/proc/self/exe", argv[0], argv[1], argv[2], number, NULL);
  _exit(9);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  if (argc > 3) {
    answer_echo(atoi(argv[3]), "from the program");
    return 0;
  }
  int status, gone[2], fd = peer("echo");
  answer_echo(fd, "from the parent");
  must("pipe", pipe(gone) == 0);
  if (probe_fork() == 0) {
    close(gone[1]);
    await_end(gone[0]);
    execute(argv, fd);
  }
  close(fd);
  close(gone[1]);
  wait(&status);
  answer("closed", status);

  int done[2];
  fd = peer("echo");
  must("pipe", pipe(gone) == 0 && pipe(done) == 0);
  if (probe_fork() == 0) {
    if (fork() != 0) _exit(0); /* has the session, whoever had it before */
    close(gone[1]);
    close(done[0]);
    await_end(gone[0]);
    answer_echo(fd, "from the grandchild");
    execute(argv, fd);
  }
  close(fd);
  wait(&status);
  close(gone[1]);
  close(done[1]);
  await_end(done[0]);
  return answer("gone", status) != 0;
}
