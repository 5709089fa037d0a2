/* closefrom(3) with a blocking, a non-blocking and a connecting socket open; then new connections
 * of both kinds. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), other = tcp_socket(SOCK_NONBLOCK), third = tcp_socket(SOCK_NONBLOCK);
  char text[16];
  connect(other, PEER_SOCKADDR, PEER_LENGTH);
  await(other, POLLOUT);
  connect(third, PEER_SOCKADDR, PEER_LENGTH);
  closefrom(3);
  answer("recv", recv(fd, text, 16, 0));
  answer("recv", recv(other, text, 16, 0));
  answer("recv", recv(third, text, 16, 0));
  fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_poll("revents", await(fd, POLLOUT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  fd = peer("echo");
  answer_echo(fd, "again");
  return 0;
}
