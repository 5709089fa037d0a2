/* The peer closes: what it sent, then EOF again and again; SO_ERROR stays 0. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  unsigned char octets[300];
  int fd = peer("send 200");
  while (!(await(fd, POLLRDHUP) & POLLRDHUP)) {
  }
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  answer("recv", (long)recv(fd, octets, 100, 0));
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  answer("recv", (long)recv(fd, octets, 300, 0));
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  answer("recv", recv(fd, octets, 300, 0));
  answer("read", read(fd, octets, 300));
  answer("peek", recv(fd, octets, 300, MSG_PEEK));
  answer("dontwait", recv(fd, octets, 300, MSG_DONTWAIT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_peername(fd);
  return 0;
}
