/* fork with a connection that is close-on-exec; the child makes it the standard input and output of
 * another program. The parent has octets of it read in part. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int status;
  int fd = peer("echo");
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  send_all(fd, "abcdefgh\n", 9);
  await_octets(fd, 9);
  answer_octets("recv", recv(fd, text, 3, 0), text);
  pid_t child = probe_fork();
  if (child == 0) {
    dup2(fd, 0);
    dup2(fd, 1);
    execl("/bin/sh", "sh", "-c", "read line; echo child had $line", (char*)NULL);
    _exit(9);
  }
  waitpid(child, &status, 0);
  answer("status", status);
  await_octets(fd, 16);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer_echo(fd, "after");
  return 0;
}
