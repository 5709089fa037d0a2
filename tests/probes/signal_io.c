/* O_ASYNC and F_SETOWN: SIGIO when octets come. */
#include "probe.h"

static volatile sig_atomic_t signals;

static void count(int number) {
  (void)number;
  ++signals;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("parts hello world");
  answer_octets("recv", recv(fd, text, 16, 0), text);
  signal(SIGIO, count);
  answer("F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
  answer("F_SETFL", fcntl(fd, F_SETFL, O_RDWR | O_ASYNC | O_NONBLOCK));
  answer("F_GETOWN", fcntl(fd, F_GETOWN) == getpid());
  signals = 0;
  send_all(fd, "g", 1);
  ssize_t n;
  while ((n = recv(fd, text, 16, 0)) < 0) {
    if (errno != EAGAIN && errno != EINTR) break;
    usleep(1000);
  }
  answer_octets("recv", n, text);
  answer("signalled", signals > 0);
  return 0;
}
