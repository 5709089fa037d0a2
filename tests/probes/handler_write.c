/* A signal handler that writes to the connection while recv is blocked on it. */
#include "probe.h"

static int fd;
static volatile sig_atomic_t ticks;

static void tick(int number) {
  int saved = errno;
  (void)number;
  if (++ticks == 5 && write(fd, "hello", 5) != 5) ticks = 1000;
  errno = saved;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  fd = peer("echo");
  start_ticks(tick, SA_RESTART);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  puts(ticks < 1000 ? "written" : "not written");
  return 0;
}
