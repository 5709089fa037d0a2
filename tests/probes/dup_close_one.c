/* Closing one duplicate leaves the other working, in either order, and with octets half read. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = peer("parts abcdef ghi"), other = dup(fd);
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer("close", close(fd));
  answer("recv closed", recv(fd, text, 2, 0));
  answer_octets("recv", recv(other, text, 2, 0), text);
  int third = dup(other);
  answer("close", close(other));
  answer_poll("revents", await(third, POLLIN));
  answer_octets("recv", recv(third, text, 16, 0), text);
  send_all(third, "g", 1);
  answer_octets("recv", recv(third, text, 16, 0), text);
  answer_peername(third);
  answer("close", close(third));
  return 0;
}
