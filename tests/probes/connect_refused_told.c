/* A refused non-blocking connect reported by the second connect, by recv, by send; then the socket
 * is used again. */
#include "probe.h"

static int refused(void) {
  struct sockaddr_in nobody = refusing_address();
  int fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  await(fd, POLLOUT);
  return fd;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in nobody = refusing_address();
  char octet;
  int fd = refused();
  answer("recv", recv(fd, &octet, 1, 0));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  fd = refused();
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  fd = refused();
  answer("connect told", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("connect elsewhere", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_poll("revents", await(fd, POLLOUT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
