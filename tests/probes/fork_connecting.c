/* fork while a non-blocking connect is under way: the child ends, the parent's connect completes.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK), status;
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  pid_t child = probe_fork();
  if (child == 0) _exit(6);
  answer_poll("revents", await(fd, POLLOUT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
