/* shutdown(SHUT_RDWR): EOF for us, EPIPE for us, POLLHUP once the peer has gone too. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("discard");
  answer("shutdown", shutdown(fd, SHUT_RDWR));
  answer("recv", recv(fd, text, 16, 0));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer_poll("revents", await(fd, 0));
  answer("close", close(fd));
  return 0;
}
