/* splice from a pipe to the connection and back. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("echo"), ends[2];
  must("pipe", pipe(ends) == 0);
  must("write", write(ends[1], "hello", 5) == 5);
  answer("splice", splice(ends[0], NULL, fd, NULL, 100, 0));
  await_octets(fd, 5);
  answer("splice", splice(fd, NULL, ends[1], NULL, 100, 0));
  answer_octets("read", read(ends[0], text, 16), text);
  answer_echo(fd, "again");
  return 0;
}
