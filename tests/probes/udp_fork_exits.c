/* Children that inherit a socket and end, by exit, _exit, close or a signal, do not end it;
 * close-on-exec makes no difference. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  for (int flags = 0; flags <= SOCK_CLOEXEC; flags += SOCK_CLOEXEC) {
    int fd = udp_socket(flags), status;
    answer_datagram_echo(fd, "before");
    for (int way = 0; way < 4; ++way) {
      pid_t child = probe_fork();
      if (child == 0) {
        if (way == 0) exit(0);
        if (way == 1) _exit(0);
        if (way == 2) {
          close(fd);
          _exit(0);
        }
        raise(SIGKILL);
      }
      waitpid(child, &status, 0);
      answer_datagram_echo(fd, "after a child");
    }
  }
  return 0;
}
