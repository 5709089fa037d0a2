/* A reset ends a recv that is already waiting. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("reset-after");
  send_all(fd, "g", 1);
  answer("recv", recv(fd, text, 16, 0));
  answer("recv", recv(fd, text, 16, 0));
  return 0;
}
