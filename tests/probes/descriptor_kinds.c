/* signalfd, timerfd, eventfd, inotify and a pipe beside a connection: in one poll, one select, one
 * epoll set, and an epoll set within another. */
#include "probe.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  sigset_t one;
  int ends[2], fds[5], inner = epoll_create1(0), outer = epoll_create1(0);
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  sigprocmask(SIG_BLOCK, &one, NULL);
  must("pipe", pipe(ends) == 0);
  fds[0] = signalfd(-1, &one, SFD_NONBLOCK);
  fds[1] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  fds[2] = eventfd(0, EFD_NONBLOCK);
  fds[3] = ends[0];
  int fd = fds[4] = peer("parts hello world");
  char text[16];
  for (unsigned i = 0; i < 5; ++i)
    must("epoll_ctl", epoll_change(inner, EPOLL_CTL_ADD, fds[i], EPOLLIN, i) == 0);
  must("epoll_ctl", epoll_change(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 9) == 0);
  await_octets(fd, 5);
  answer_wait("inner", inner, -1);
  answer_wait("outer", outer, -1);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer_wait("outer", outer, 0);
  answer_wait("inner", inner, 0);

  struct itimerspec soon = {{0, 0}, {0, 1}};
  uint64_t number = 3;
  must("timer", timerfd_settime(fds[1], 0, &soon, NULL) == 0);
  must("event", write(fds[2], &number, 8) == 8 && write(ends[1], "x", 1) == 1);
  raise(SIGUSR1);
  send_all(fd, "g", 1);
  await_octets(fd, 5);
  await(fds[1], POLLIN);
  struct pollfd set[6];
  for (int i = 0; i < 5; ++i) set[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
  set[5] = (struct pollfd){.fd = outer, .events = POLLIN};
  answer("poll", poll(set, 6, -1));
  for (int i = 0; i < 6; ++i) answer_poll(" revents", set[i].revents);
  fd_set reads;
  FD_ZERO(&reads);
  for (int i = 0; i < 5; ++i) FD_SET(fds[i], &reads);
  answer("select", select(FD_SETSIZE, &reads, NULL, NULL, NULL));
  struct epoll_event events[8];
  answer("epoll_wait", epoll_wait(inner, events, 8, -1));
  struct timespec none = {0, 0};
  answer("epoll_pwait2", epoll_pwait2(inner, events, 3, &none, NULL));
  struct signalfd_siginfo info;
  answer("signalfd", read(fds[0], &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
  answer("timerfd", read(fds[1], &number, 8));
  answer("eventfd", read(fds[2], &number, 8));
  printf("number %llu\n", (unsigned long long)number);
  answer_octets("pipe", read(ends[0], text, sizeof text), text);
  answer_octets("recv", read(fd, text, sizeof text), text);
  answer_wait("outer", outer, 0);
  answer("EPOLLWAKEUP", epoll_change(inner, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLWAKEUP, 4));
  answer("EPOLLEXCLUSIVE by MOD",
         epoll_change(inner, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE, 4));
  answer("itself", epoll_change(inner, EPOLL_CTL_ADD, inner, EPOLLIN, 4));
  answer("loop", epoll_change(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 4));
  answer("no set", epoll_change(fd, EPOLL_CTL_ADD, ends[0], EPOLLIN, 4));
  answer("bad operation", epoll_change(inner, 77, fd, EPOLLIN, 4));
  answer("bad event", epoll_ctl(inner, EPOLL_CTL_MOD, fd, (struct epoll_event*)8));
  answer("no event", epoll_ctl(inner, EPOLL_CTL_MOD, fd, NULL));
  answer("no room", epoll_wait(inner, events, 0, 0));
  return 0;
}
