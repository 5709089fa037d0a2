/* The checked twins that _FORTIFY_SOURCE makes of recv, recvfrom, read, poll, ppoll and FD_SET. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  volatile size_t three = 3;
  volatile nfds_t one = 1;
  volatile int bit;
  char text[16];
  struct pollfd p[2] = {{.events = POLLIN | POLLOUT}, {.fd = -1}};
  struct timespec limit = {5, 0};
  fd_set readable;
  int fd = peer("say abcdefghijklmnop");
  p[0].fd = bit = fd;
  await_octets(fd, 16);
  answer("poll", poll(p, one, -1));
  answer_poll("revents", p[0].revents);
  p[0].revents = 0;
  answer("ppoll", ppoll(p, one, &limit, NULL));
  answer_poll("revents", p[0].revents);
  FD_ZERO(&readable);
  FD_SET(bit, &readable);
  answer("select", select(fd + 1, &readable, NULL, NULL, NULL));
  answer("set", FD_ISSET(bit, &readable) != 0);
  answer_octets("recv", recv(fd, text, three, 0), text);
  answer_octets("recvfrom", recvfrom(fd, text, three, 0, NULL, NULL), text);
  answer_octets("read", read(fd, text, three), text);
  answer_octets("peek", recv(fd, text, three, MSG_PEEK), text);
  answer_octets("rest", recv(fd, text, three * 4, 0), text);
  return 0;
}
