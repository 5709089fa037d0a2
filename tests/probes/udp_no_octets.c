/* Vectors without an octet on a UDP socket: nothing is sent, and what has come stays. */
#include "datagram.h"

static void run(const char* what, int fd, const struct iovec* vectors, int count) {
  printf("%s\n", what);
  answer("writev", writev(fd, vectors, count));
  answer("pwritev2", pwritev2(fd, vectors, count, -1, 0));
  must("send", send(fd, "stays", 5, 0) == 5);
  await(fd, POLLIN);
  answer("readv", readv(fd, vectors, count));
  answer("preadv2", preadv2(fd, vectors, count, -1, 0));
  answer_datagram("recv", fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char octet;
  const struct iovec none[2] = {{&octet, 0}, {&octet, 0}};
  int fd = udp_connected();
  answer_datagram_echo(fd, "first");
  run("two of none", fd, none, 2);
  run("no vectors", fd, none, 0);
  run("fewer than none", fd, none, -1);
  run("too many", fd, none, 1025);
  return 0;
}
