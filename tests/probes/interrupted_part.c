/* A signal during MSG_WAITALL gives the part that is there. */
#include "probe.h"

static void tick(int number) { (void)number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("parts hello world");
  await_octets(fd, 5);
  start_ticks(tick, 0);
  answer_octets("recv", recv(fd, text, 10, MSG_WAITALL), text);
  answer("recv", recv(fd, text, 10, MSG_WAITALL));
  return 0;
}
