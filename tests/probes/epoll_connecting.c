/* Registered while a non-blocking connect is under way; MOD, DEL and ADD again before it is done.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK), set = epoll_create1(0);
  char text[16];
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
  answer_wait("quiet", set, 0);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLPRI, 2));
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  answer("DEL", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, 3));
  answer_wait("connected", set, -1);
  answer_wait("once", set, 0);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN, 4));
  peer_script(fd, "say hello");
  answer_wait("readable", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  return 0;
}
