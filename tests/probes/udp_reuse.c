/* SO_REUSEADDR: two sockets at one port, one after another and at once, with SO_REUSEPORT too. */
#include "datagram.h"

static int bound(struct sockaddr_in* at, int option) {
  int fd = udp_socket(0), on = 1;
  socklen_t length = sizeof *at;
  answer("set", setsockopt(fd, SOL_SOCKET, option, &on, sizeof on));
  answer("bind", bind(fd, (struct sockaddr*)at, sizeof *at));
  getsockname(fd, (struct sockaddr*)at, &length);
  return fd;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in any = {.sin_family = AF_INET}, at = any;
  int first = bound(&at, SO_REUSEADDR);
  answer_datagram_echo(first, "first");
  close(first);
  int second = bound(&at, SO_REUSEADDR);
  answer_datagram_echo(second, "second");
  at = any;
  int one = bound(&at, SO_REUSEPORT), two = bound(&at, SO_REUSEPORT);
  answer("connect", connect(one, PEER_SOCKADDR, PEER_LENGTH));
  answer("connect", connect(two, PEER_SOCKADDR, PEER_LENGTH));
  close(one);
  send(two, "two", 3, 0);
  answer_datagram("recv", two);
  return 0;
}
