/* A program that closes every number up to 1024 by hand, as daemons do, then connects. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), other = tcp_socket(SOCK_NONBLOCK);
  connect(other, PEER_SOCKADDR, PEER_LENGTH);
  await(other, POLLOUT);
  for (int i = 3; i < 1024; ++i) close(i);
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  fd = peer("echo");
  printf("socket %d\n", fd);
  answer_echo(fd, "hello");
  other = tcp_socket(SOCK_NONBLOCK);
  printf("socket %d\n", other);
  answer("connect", connect(other, PEER_SOCKADDR, PEER_LENGTH));
  answer_poll("revents", await(other, POLLOUT));
  peer_script(other, "echo");
  answer_echo(other, "again");
  return 0;
}
