/* With live connections, and ones closed, wait() sees no child that the program did not make. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), other = tcp_socket(SOCK_NONBLOCK), status;
  connect(other, PEER_SOCKADDR, PEER_LENGTH);
  await(other, POLLOUT);
  answer("wait", wait(&status));
  pid_t child = probe_fork();
  if (child == 0) _exit(6);
  answer("wait", wait(&status) == child);
  answer("wait", wait(&status));
  answer_echo(fd, "hello");
  close(fd);
  answer("waitpid", waitpid(-1, &status, WNOHANG));
  return 0;
}
