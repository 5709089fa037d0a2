/* A duplicate taken while the connect is under way becomes connected with it. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  int other = dup(fd);
  answer("close", close(fd));
  answer_poll("revents", await(other, POLLOUT));
  answer("SO_ERROR", socket_option(other, SOL_SOCKET, SO_ERROR));
  answer_peername(other);
  peer_script(other, "echo");
  answer_echo(other, "hello");
  return 0;
}
