/* SO_RCVLOWAT of the application's own: poll waits for that many octets. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts hello world"), ten = 10;
  char text[16];
  struct pollfd p = {.fd = fd, .events = POLLIN};
  answer("SO_RCVLOWAT", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &ten, sizeof ten));
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  for (int there = 0; there < 5;) ioctl(fd, FIONREAD, &there);
  answer("poll", poll(&p, 1, 50));
  send_all(fd, "g", 1);
  answer("poll", poll(&p, 1, -1));
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer("SO_RCVLOWAT", socket_option(fd, SOL_SOCKET, SO_RCVLOWAT));
  return 0;
}
