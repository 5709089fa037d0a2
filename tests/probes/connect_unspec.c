/* connect to AF_UNSPEC dissolves the association; the socket connects again. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr nothing = {.sa_family = AF_UNSPEC};
  char octet;
  int fd = peer("echo");
  answer_echo(fd, "hello");
  answer("connect unspec", connect(fd, &nothing, sizeof nothing));
  answer_peername(fd);
  answer("recv", recv(fd, &octet, 1, 0));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_peername(fd);
  peer_script(fd, "echo");
  answer_echo(fd, "again");
  return 0;
}
