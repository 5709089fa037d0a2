/* EPOLLONESHOT: one event, silence over new octets, armed again by MOD. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open(), set = epoll_create1(0);
  char text[16];
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, 7));
  peer_script(fd, "parts hello world");
  answer_wait("first", set, -1);
  answer_wait("silent", set, 0);
  send_all(fd, "g", 1);
  await_octets(fd, 10);
  answer_wait("silent", set, 0);
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, 8));
  answer_wait("armed", set, -1);
  answer_wait("silent", set, 0);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
