/* Duplicates share the stream: octets are read once, O_NONBLOCK shows on both, shutdown on one ends
 * both. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say abcdefgh"), other = dup(fd);
  char text[16];
  await_octets(fd, 8);
  answer_octets("recv", recv(fd, text, 3, 0), text);
  answer_octets("recv other", recv(other, text, 3, 0), text);
  answer_octets("recv", recv(fd, text, 3, 0), text);
  set_nonblocking(other, 1);
  answer("O_NONBLOCK", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  answer("recv", recv(fd, text, 3, 0));
  answer("shutdown", shutdown(other, SHUT_WR));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  await(fd, POLLIN);
  answer("recv end", recv(fd, text, 3, 0));
  answer("recv other end", recv(other, text, 3, 0));
  return 0;
}
