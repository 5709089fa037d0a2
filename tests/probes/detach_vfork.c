/* vfork, dup2 onto the standard streams in the child, exec; the parent goes on with the socket. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int status;
  int fd = peer("echo");
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  answer_echo(fd, "before");
  fflush(stdout);
  for (int i = 0; i < 3; ++i) {
    pid_t child = vfork();
    if (child == 0) {
      dup2(fd, 0);
      dup2(fd, 1);
      execl("/bin/sh", "sh", "-c", "echo from the child", (char*)NULL);
      _exit(9);
    }
    waitpid(child, &status, 0);
    answer("status", status);
    await_octets(fd, 15);
    answer_octets("recv", recv(fd, text, sizeof text, 0), text);
    answer_echo(fd, "between");
  }
  answer("getfd", fcntl(fd, F_GETFD));
  return 0;
}
