/* O_ASYNC and F_SETOWN: SIGIO when a datagram comes. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  sigset_t set;
  siginfo_t told;
  sigemptyset(&set);
  sigaddset(&set, SIGIO);
  sigprocmask(SIG_BLOCK, &set, NULL);
  int fd = udp_socket(0);
  struct timespec long_enough = {15, 0};
  answer("F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
  answer("F_SETFL", fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
  say(fd, "hello");
  answer("signal", sigtimedwait(&set, &told, &long_enough) == SIGIO);
  await(fd, POLLIN);
  answer_from("recvfrom", fd, &peer_address);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  struct timespec now = {0, 0};
  while (sigtimedwait(&set, &told, &now) == SIGIO) {
  }
  say(fd, "connected");
  answer("signal", sigtimedwait(&set, &told, &long_enough) == SIGIO);
  await(fd, POLLIN);
  answer_from("recvfrom", fd, &peer_address);
  return 0;
}
