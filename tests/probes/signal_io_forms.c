/* FIOASYNC, F_SETOWN_EX to a thread, F_SETSIG: the signal names the descriptor; for octets, for the
 * end, and none once it is off. */
#include "probe.h"

static sigset_t ours;

static int await_signal(int number) {
  siginfo_t info;
  for (;;) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    if (sigwaitinfo(&one, &info) == number) return number == SIGIO ? 0 : info.si_fd;
  }
}

static void drop_signals(void) {
  struct timespec now = {0, 0};
  while (sigtimedwait(&ours, NULL, &now) > 0) {
  }
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  sigemptyset(&ours);
  sigaddset(&ours, SIGIO);
  sigaddset(&ours, SIGRTMIN + 3);
  sigprocmask(SIG_BLOCK, &ours, NULL);
  char text[16];
  int fd = peer("parts hello world"), on = 1, off = 0;
  await_octets(fd, 5);
  struct f_owner_ex owner = {F_OWNER_TID, gettid()}, got = {0};
  answer("F_SETOWN_EX", fcntl(fd, F_SETOWN_EX, &owner));
  answer("F_GETOWN_EX", fcntl(fd, F_GETOWN_EX, &got));
  printf("owner %s\n", got.type == F_OWNER_TID && got.pid == gettid() ? "this thread" : "other");
  answer("FIOASYNC", ioctl(fd, FIOASYNC, &on));
  answer("O_ASYNC", (fcntl(fd, F_GETFL) & O_ASYNC) != 0);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  drop_signals();
  send_all(fd, "g", 1);
  await_signal(SIGIO);
  await_octets(fd, 5);
  answer_octets("recv", recv(fd, text, sizeof text, MSG_DONTWAIT), text);
  answer("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN + 3));
  answer("F_GETSIG", fcntl(fd, F_GETSIG) == SIGRTMIN + 3);
  drop_signals();
  send_all(fd, "g", 1); /* the peer ends */
  answer("signal's descriptor", await_signal(SIGRTMIN + 3) == fd);
  await(fd, POLLRDHUP);
  answer("recv", recv(fd, text, sizeof text, MSG_DONTWAIT));
  answer("FIOASYNC", ioctl(fd, FIOASYNC, &off));
  answer("O_ASYNC", (fcntl(fd, F_GETFL) & O_ASYNC) != 0);
  answer("F_SETSIG bad", fcntl(fd, F_SETSIG, 1000));
  answer("FIOASYNC bad", ioctl(fd, FIOASYNC, (int*)8));
  answer("FIONBIO bad", ioctl(fd, FIONBIO, (int*)8));
  return 0;
}
