/* Reads and writes of nothing: 0 at once, whether or not there is data, and no octet is lost. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open();
  char text[16];
  struct iovec none = {text, 0};
  answer("send", send(fd, "", 0, 0));
  answer("write", write(fd, "", 0));
  answer("writev", writev(fd, &none, 1));
  answer("read", read(fd, text, 0));
  answer("recv not there", recv(fd, text, 0, MSG_DONTWAIT));
  peer_script(fd, "say hello");
  await(fd, POLLIN);
  answer("recv", recv(fd, text, 0, 0));
  answer("read", read(fd, text, 0));
  answer("readv", readv(fd, &none, 1));
  answer("readv", readv(fd, NULL, 0));
  answer("peek", recv(fd, text, 0, MSG_PEEK));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("send", send(fd, "", 0, MSG_NOSIGNAL));
  return 0;
}
