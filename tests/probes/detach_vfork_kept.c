/* vfork, FD_CLOEXEC taken off and everything else closed in the child, exec: as Python's subprocess with pass_fds. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64], command[64];
  int status;
  int fd = peer("echo");
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  answer_echo(fd, "before");
  snprintf(command, sizeof command, "echo from the child >&%d", fd);
  fflush(stdout);
  for (int i = 0; i < 3; ++i) {
    pid_t child = vfork();
    if (child == 0) {
      fcntl(fd, F_SETFD, 0);
      for (int other = 3; other < 1024; ++other) {
        if (other != fd) close(other);
      }
      execl("/bin/bash", "bash", "-c", command, (char*)NULL);
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
