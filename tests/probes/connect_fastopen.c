/* MSG_FASTOPEN is a connect: blocking and non-blocking, and on a connected socket. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = tcp_socket(0);
  answer("sendto", sendto(fd, "say hello\n", 10, MSG_FASTOPEN, PEER_SOCKADDR, PEER_LENGTH));
  answer_peername(fd);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("sendto connected", sendto(fd, "x", 1, MSG_FASTOPEN, PEER_SOCKADDR, PEER_LENGTH));
  close(fd);

  fd = tcp_socket(SOCK_NONBLOCK);
  answer("sendto", sendto(fd, "say hello\n", 10, MSG_FASTOPEN, PEER_SOCKADDR, PEER_LENGTH));
  answer_poll("revents", await(fd, POLLOUT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  close(fd);

  struct sockaddr_in nobody = refusing_address();
  fd = tcp_socket(0);
  answer("sendto refused",
         sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr*)&nobody, sizeof nobody));
  answer("sendto no address", sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0));
  close(fd);

  int on = 1;
  fd = tcp_socket(0);
  answer("TCP_FASTOPEN_CONNECT", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
