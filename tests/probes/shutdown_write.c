/* shutdown(SHUT_WR): the peer's answer to the whole still comes, then EOF; sending is EPIPE. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int fd = peer("digest");
  send_all(fd, "hello world", 11);
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer_poll("revents", await(fd, POLLIN) & POLLIN);
  size_t n = recv_all(fd, text, sizeof text);
  answer_octets("recv", (long)n, text);
  answer("recv", recv(fd, text, 16, 0));
  answer("shutdown again", shutdown(fd, SHUT_WR));
  answer("close", close(fd));
  return 0;
}
