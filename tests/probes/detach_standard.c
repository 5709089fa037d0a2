/* A socket that gets number 0 by itself, as in a daemon that has closed its standard streams. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char line[64];
  close(0);
  int fd = peer_open();
  answer("fd", fd);
  must("write", write(fd, "echo\nline one\nline two\n", 23) == 23);
  answer("getline", fgets(line, sizeof line, stdin) != NULL);
  printf("%s", line);
  answer("getline", fgets(line, sizeof line, stdin) != NULL);
  printf("%s", line);
  return 0;
}
