/* A number that was a connection becomes a file, a pipe, a socket pair and again a connection. */
#include "probe.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say hello"), other, pair[2];
  char text[16];
  await(fd, POLLIN);
  close(fd);
  other = memfd_create("probe", 0);
  answer("file", other - fd);
  answer("write", write(other, "filed", 5));
  answer("recv", recv(other, text, 16, 0));
  answer("lseek", lseek(other, 1, SEEK_SET));
  answer_octets("read", read(other, text, 16), text);
  close(other);
  must("pipe", pipe(pair) == 0);
  answer("pipe", pair[0] - fd);
  answer("write", write(pair[1], "piped", 5));
  answer_octets("read", read(pair[0], text, 16), text);
  close(pair[0]);
  close(pair[1]);
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  answer("pair", pair[0] - fd);
  answer("send", send(pair[0], "paired", 6, 0));
  answer_octets("recv", recv(pair[1], text, 16, 0), text);
  close(pair[0]);
  close(pair[1]);
  other = tcp_socket(0);
  answer("socket", other - fd);
  answer_peername(other);
  answer("send", send(other, "x", 1, MSG_NOSIGNAL));
  answer("connect", connect(other, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(other, "echo");
  answer_echo(other, "hello");
  return 0;
}
