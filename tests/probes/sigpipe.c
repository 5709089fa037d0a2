/* Writing to a peer that has gone: SIGPIPE and EPIPE, no signal with MSG_NOSIGNAL. */
#include "probe.h"

static volatile sig_atomic_t signals;

static void count(int number) {
  (void)number;
  ++signals;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct iovec one = {"x", 1};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  struct sigaction action = {.sa_handler = count};
  sigaction(SIGPIPE, &action, NULL);
  int fd = peer("close-now");
  char octet;
  answer("recv", recv(fd, &octet, 1, 0));
  while (send(fd, "x", 1, MSG_NOSIGNAL) == 1) usleep(1000);
  answer("MSG_NOSIGNAL", send(fd, "x", 1, MSG_NOSIGNAL));
  printf("signals %d\n", (int)signals);
  answer("send", send(fd, "x", 1, 0));
  printf("signals %d\n", (int)signals);
  answer("write", write(fd, "x", 1));
  printf("signals %d\n", (int)signals);
  answer("writev", writev(fd, &one, 1));
  printf("signals %d\n", (int)signals);
  answer("sendmsg", sendmsg(fd, &message, 0));
  printf("signals %d\n", (int)signals);
  answer("sendmsg MSG_NOSIGNAL", sendmsg(fd, &message, MSG_NOSIGNAL));
  printf("signals %d\n", (int)signals);
  signal(SIGPIPE, SIG_IGN);
  answer("ignored", write(fd, "x", 1));
  return 0;
}
