/* Registered through one duplicate, used through another; closing the registered number does not
 * end the events. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK), other = dup(fd), set = epoll_create1(0);
  char text[16];
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLOUT, 7));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_wait("connected", set, -1);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 8));
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, other, EPOLLIN, 9));
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  peer_script(fd, "say hello");
  answer_wait("readable", set, -1);
  answer("close", close(other));
  answer_wait("closed", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer_wait("drained", set, 0);
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, other, 0, 0));
  return 0;
}
