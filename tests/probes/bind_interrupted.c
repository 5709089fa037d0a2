/* getsockname while the server listens anew for the next connection, and signals come: it says
 * where that is all the same. */
#include "listener.h"

static void nothing(int signal_number) { (void)signal_number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sigaction action = {.sa_handler = nothing};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 200000}, {0, 200000}}, never = {{0, 0}, {0, 0}};
  timer_t timer;
  int listener = listening(0), wrong = 0;
  sigaction(SIGUSR1, &action, NULL);
  must("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  for (int i = 0; i < 15; ++i) {
    call(listener, "echo");
    int fd = accept(listener, NULL, NULL);
    timer_settime(timer, 0, &often, NULL);
    struct sockaddr_in then = name_of(listener);
    timer_settime(timer, 0, &never, NULL);
    wrong += then.sin_port != name_of(listener).sin_port;
    close(fd);
  }
  printf("wrong %d\n", wrong);
  return 0;
}
