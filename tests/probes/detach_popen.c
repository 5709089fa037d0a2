/* popen and system with a connection that the command inherits and uses, by its number. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char command[128], text[64] = "";
  int fd = peer("echo");
  answer_echo(fd, "before");
  fflush(stdout);
  snprintf(command, sizeof command, "echo from system >&%d", fd);
  answer("system", system(command));
  await_octets(fd, 12);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  snprintf(command, sizeof command, "echo to >&%d; head -c 3 <&%d", fd, fd);
  FILE* pipe = popen(command, "r");
  memset(text, 0, sizeof text);
  answer_octets("popen", (long)fread(text, 1, sizeof text, pipe), text);
  answer("pclose", pclose(pipe));
  answer_echo(fd, "after");
  answer_peername(fd);
  return 0;
}
