/* The peer resets: POLLERR and POLLHUP, ECONNRESET once, then EOF and EPIPE. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("reset");
  answer_poll("revents", await(fd, POLLIN));
  answer("recv", recv(fd, text, 16, 0));
  answer("recv", recv(fd, text, 16, 0));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer_peername(fd);
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("close", close(fd));

  fd = peer("reset");
  await(fd, POLLIN);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("recv", recv(fd, text, 16, 0));
  close(fd);

  fd = peer("reset");
  await(fd, POLLIN);
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("recv", recv(fd, text, 16, 0));
  return 0;
}
