/* A registered connection is closed; the next socket of the same number registers afresh. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int set = epoll_create1(0), first = -1;
  char text[16];
  for (int i = 0; i < 3; ++i) {
    int fd = tcp_socket(SOCK_NONBLOCK);
    if (first < 0) first = fd;
    answer("number", fd - first);
    answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLOUT, (uint32_t)i));
    answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
    answer_wait("connected", set, -1);
    answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN, (uint32_t)i + 10));
    peer_script(fd, "say hello");
    answer_wait("readable", set, -1);
    answer_octets("recv", recv(fd, text, 3, 0), text);
    answer("close", close(fd));
    answer_wait("closed", set, 0);
  }
  return 0;
}
