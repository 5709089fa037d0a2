/* A blocking connect to a port that refuses, what the socket says then, and a second use of it. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in nobody = refusing_address();
  int fd = tcp_socket(0);
  char octet;
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_peername(fd);
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("recv", recv(fd, &octet, 1, 0));
  answer("connect again", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer("connect elsewhere", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_peername(fd);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
