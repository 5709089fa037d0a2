/* poll over the life of a connection: writable, readable, partly read, drained, ended; POLLRDNORM
 * too. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  short all = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM;
  int fd = peer_open();
  char text[16];
  struct pollfd p = {.fd = fd, .events = POLLIN};
  answer_poll("connected", await(fd, all));
  answer("poll", poll(&p, 1, 0));
  answer_poll("revents", p.revents);
  peer_script(fd, "parts hello world");
  answer("poll", poll(&p, 1, -1));
  answer_poll("readable", await(fd, all));
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer_poll("partly read", await(fd, all));
  answer_octets("recv", recv(fd, text, 3, 0), text);
  answer_poll("drained", await(fd, all));
  answer("poll", poll(&p, 1, 30));
  send_all(fd, "g", 1);
  answer("poll", poll(&p, 1, 50000));
  answer_octets("recv", recv(fd, text, 16, 0), text);
  send_all(fd, "g", 1);
  answer("poll", poll(&p, 1, -1));
  answer_poll("ended", await(fd, all));
  answer("recv", recv(fd, text, 16, 0));
  answer_poll("ended", await(fd, all));
  close(fd);
  answer("poll", poll(&p, 1, 0));
  answer_poll("closed", p.revents);
  return 0;
}
