/* A connection as descriptor 0, read with read(0) after dup2. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts hello world");
  char text[16];
  answer("dup2", dup2(fd, 0));
  answer("close", close(fd));
  answer_octets("read", read(0, text, sizeof text), text);
  answer("write", write(0, "g", 1));
  answer_octets("read", read(0, text, sizeof text), text);
  answer("close", close(0));
  answer("read", read(0, text, sizeof text));
  return 0;
}
