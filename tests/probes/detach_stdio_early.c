/* fdopen on a socket that is not connected yet: blocking connect, then stdio both ways. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char line[64];
  int fd = tcp_socket(0);
  FILE* out = fdopen(dup(fd), "w");
  FILE* in = fdopen(fd, "r");
  must("fdopen", in && out);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  fprintf(out, "echo\nhello %d\n", 7);
  answer("fflush", fflush(out));
  if (fgets(line, sizeof line, in)) printf("fgets %s", line);
  answer_peername(fd);
  answer("fclose", fclose(out));
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("fgets", fgets(line, sizeof line, in) != NULL);
  answer("fclose", fclose(in));
  return 0;
}
