/* A connection closed by a raw system call, its number then used for a pipe. */
#include "probe.h"

#include <sys/syscall.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say hello"), ends[2];
  char text[16];
  await(fd, POLLIN);
  answer("close", syscall(SYS_close, fd));
  must("pipe", pipe(ends) == 0);
  answer("pipe", ends[0] - fd);
  answer("write", write(ends[1], "piped", 5));
  answer_octets("read", read(ends[0], text, 16), text);
  answer("recv", recv(ends[0], text, 16, 0));
  fd = peer("echo");
  answer_echo(fd, "hello");
  return 0;
}
