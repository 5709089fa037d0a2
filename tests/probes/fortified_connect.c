/* The checked poll and ppoll wait for a non-blocking connect, and for a reader. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  volatile nfds_t one = 1;
  volatile size_t size = 16;
  char text[16];
  int fd = tcp_socket(SOCK_NONBLOCK);
  struct pollfd p[2] = {{.fd = fd, .events = POLLOUT}, {.fd = -1}};
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("poll", poll(p, one, -1));
  answer_poll("revents", p[0].revents);
  answer("send", send(fd, "say hello\n", 10, 0));
  p[0].events = POLLIN;
  answer("ppoll", ppoll(p, one, NULL, NULL));
  answer_poll("revents", p[0].revents);
  answer_octets("read", read(fd, text, size), text);
  answer("poll", poll(p, one, 0));
  return 0;
}
