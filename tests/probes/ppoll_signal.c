/* ppoll, pselect and epoll_pwait let a blocked signal in for the wait: EINTR; the mask is back
 * after. */
#include "probe.h"

static volatile sig_atomic_t signals;

static void count(int number) {
  (void)number;
  ++signals;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("discard"), set = epoll_create1(0);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  struct epoll_event event;
  fd_set readable;
  sigset_t blocked, none, now;
  signal(SIGUSR2, count);
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
  raise(SIGUSR2);
  answer("ppoll", ppoll(&p, 1, NULL, &none));
  printf("signals %d\n", (int)signals);
  raise(SIGUSR2);
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  answer("pselect", pselect(fd + 1, &readable, NULL, NULL, NULL, &none));
  printf("signals %d\n", (int)signals);
  raise(SIGUSR2);
  answer("epoll_pwait", epoll_pwait(set, &event, 1, -1, &none));
  printf("signals %d\n", (int)signals);
  sigprocmask(SIG_BLOCK, NULL, &now);
  answer("blocked", sigismember(&now, SIGUSR2));
  return 0;
}
