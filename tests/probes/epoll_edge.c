/* Edge-triggered epoll: one event per change, none while nothing changes, one more for more octets.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0);
  char text[16];
  set_nonblocking(fd, 1);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 7));
  answer_wait("quiet", set, 0);
  peer_script(fd, "parts hello world again");
  answer_wait("readable", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer("recv", recv(fd, text, 16, 0));
  answer_wait("drained", set, 0);
  send_all(fd, "g", 1);
  answer_wait("more", set, -1);
  answer_wait("not read", set, 0);
  send_all(fd, "g", 1);
  answer_wait("yet more", set, -1);
  await_octets(fd, 10);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer("recv", recv(fd, text, 16, 0));
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLET, 8));
  answer_wait("writable", set, 0);
  answer_wait("writable once", set, 0);
  send_all(fd, "g", 1);
  answer("EOF", await(fd, POLLIN));
  answer("peek", recv(fd, text, 16, MSG_PEEK));
  /* The kernel tells of a FIN twice: both are over now. */
  answer_wait("ended", set, -1);
  answer("recv", recv(fd, text, 16, 0));
  answer_wait("ended once", set, 0);
  return 0;
}
