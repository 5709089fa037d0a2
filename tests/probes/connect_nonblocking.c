/* EINPROGRESS, POLLOUT alone, SO_ERROR 0; connect then says 0 once and EISCONN after. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_poll("revents", await(fd, POLLIN | POLLOUT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_peername(fd);
  answer("connect second", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("connect third", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  char octet;
  answer("recv", recv(fd, &octet, 1, 0));
  answer_echo(fd, "hello");
  answer("O_NONBLOCK", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  return 0;
}
