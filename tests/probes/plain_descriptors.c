/* Socket pairs, pipes, files and a datagram pair are untouched, beside a live connection. */
#include "probe.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), pair[2], ends[2], file = memfd_create("probe", 0);
  char text[16];
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  must("pipe", pipe2(ends, O_NONBLOCK) == 0);
  answer("send", send(pair[0], "paired", 6, 0));
  answer_octets("peek", recv(pair[1], text, 16, MSG_PEEK), text);
  answer_octets("recv", recv(pair[1], text, 16, 0), text);
  answer("read", read(ends[0], text, 16));
  answer("write", write(ends[1], "piped", 5));
  answer_octets("read", read(ends[0], text, 16), text);
  answer("send to pipe", send(ends[1], "x", 1, 0));
  answer("pwrite", pwrite(file, "filed", 5, 0));
  answer_octets("pread", pread(file, text, 16, 1), text);
  answer("shutdown", shutdown(pair[0], SHUT_WR));
  answer("recv", recv(pair[1], text, 16, 0));
  close(pair[0]);
  close(pair[1]);
  must("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  answer("send", send(pair[0], "datagram", 8, 0));
  answer("MSG_TRUNC", recv(pair[1], text, 4, MSG_TRUNC));
  answer("SO_DOMAIN", socket_option(pair[0], SOL_SOCKET, SO_DOMAIN));
  answer_echo(fd, "hello");
  return 0;
}
