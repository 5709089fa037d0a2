/* Reading a part makes no new edge. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0);
  char text[16];
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, 7));
  peer_script(fd, "parts hello world");
  answer_wait("readable", set, -1);
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer_wait("partly read", set, 0);
  answer_octets("peek", recv(fd, text, 2, MSG_PEEK), text);
  answer_wait("peeked", set, 0);
  answer_octets("recv", recv(fd, text, 1, 0), text);
  answer_wait("partly read", set, 0);
  send_all(fd, "g", 1);
  answer_wait("more", set, -1);
  answer_octets("recv", (long)recv_all(fd, text, 7), text);
  answer_wait("drained", set, 0);
  return 0;
}
