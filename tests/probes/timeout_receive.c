/* SO_RCVTIMEO: EAGAIN after the time, from recv, read and recvmsg; a part with MSG_WAITALL; octets
 * in time. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct timeval limit = {0, 80000};
  struct timespec before, after;
  int fd = peer_open();
  char text[16];
  struct iovec one = {text, sizeof text};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  answer("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  clock_gettime(CLOCK_MONOTONIC, &before);
  answer("recv", recv(fd, text, 16, 0));
  clock_gettime(CLOCK_MONOTONIC, &after);
  long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  puts(ms >= 75 && ms < 60000 ? "waited" : "did not wait");
  answer("read", read(fd, text, 16));
  answer("recvmsg", recvmsg(fd, &message, 0));
  peer_script(fd, "parts hello world");
  await(fd, POLLIN);
  answer_octets("recv", recv(fd, text, 16, MSG_WAITALL), text);
  answer("recv", recv(fd, text, 16, 0));
  limit.tv_sec = 50;
  answer("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  send_all(fd, "g", 1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
