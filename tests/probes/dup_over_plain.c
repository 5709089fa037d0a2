/* dup2 of a pipe over a connection and of a connection over a pipe: each number does what it now
 * is. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), other = peer("echo"), ends[2];
  char text[16];
  must("pipe", pipe(ends) == 0);
  answer("dup2", dup2(ends[0], fd) - fd);
  answer("write", write(ends[1], "piped", 5));
  answer_octets("read", read(fd, text, 16), text);
  answer("recv", recv(fd, text, 16, 0));
  answer_peername(fd);
  answer("dup2", dup2(other, ends[0]) - ends[0]);
  answer_echo(ends[0], "hello");
  answer("close", close(other));
  answer_echo(ends[0], "again");
  return 0;
}
