/* Level-triggered epoll: the same answers as long as the state lasts; ADD twice, MOD, DEL. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(EPOLL_CLOEXEC);
  char text[16];
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN, 7));
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT, 7));
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 8));
  answer_wait("connected", set, -1);
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN, 9));
  answer_wait("quiet", set, 0);
  peer_script(fd, "parts hello world");
  answer_wait("readable", set, -1);
  answer_wait("readable", set, 0);
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer_wait("partly read", set, 0);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer_wait("drained", set, 0);
  send_all(fd, "g", 1);
  answer_wait("again", set, -1);
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  answer_wait("deleted", set, 0);
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP, 5));
  answer_wait("added", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  send_all(fd, "g", 1);
  answer_wait("ended", set, -1);
  answer("recv", recv(fd, text, 16, 0));
  answer_wait("ended", set, 0);
  close(fd);
  answer_wait("closed", set, 0);
  return 0;
}
