/* What a socket that was never connected answers. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(0), there = -1;
  char octet;
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("recv", recv(fd, &octet, 1, 0));
  answer("read", read(fd, &octet, 1));
  answer_peername(fd);
  answer_poll("revents", await(fd, POLLIN | POLLOUT));
  answer("FIONREAD", ioctl(fd, FIONREAD, &there));
  printf("there %d\n", there);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  fd = tcp_socket(0);
  answer("shutdown", shutdown(fd, SHUT_WR));
  return 0;
}
