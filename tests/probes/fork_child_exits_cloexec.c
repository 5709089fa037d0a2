/* The same for a close-on-exec connection. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_CLOEXEC), status;
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  for (int i = 0; i < 3; ++i) {
    pid_t child = probe_fork();
    if (child == 0) {
      if (i == 0) exit(3);
      if (i == 1) _exit(4);
      _exit(close(fd));
    }
    waitpid(child, &status, 0);
    printf("status %x\n", status);
    answer_echo(fd, "hello");
  }
  return 0;
}
