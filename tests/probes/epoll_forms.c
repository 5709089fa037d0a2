/* epoll_pwait, epoll_pwait2, an epoll inside poll and inside epoll, EPOLLEXCLUSIVE, two sets on one
 * socket. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK), set = epoll_create1(0), outer = epoll_create1(0),
      third = epoll_create1(0);
  struct epoll_event event;
  struct timespec limit = {5, 0};
  char text[16];
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
  answer("ADD outer", epoll_change(outer, EPOLL_CTL_ADD, set, EPOLLIN, 2));
  answer("ADD third",
         epoll_change(third, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLEXCLUSIVE, 3));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_wait("connected", third, -1);
  peer_script(fd, "parts hello world");
  answer_wait("outer", outer, -1);
  answer_poll("poll", await(set, POLLIN));
  answer("epoll_pwait", epoll_pwait(set, &event, 1, -1, NULL));
  answer_epoll("events", event.events);
  answer("epoll_pwait2", epoll_pwait2(set, &event, 1, &limit, NULL));
  answer_epoll("events", event.events);
  answer_wait("third", third, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer_wait("outer", outer, 0);
  answer("bad set", epoll_wait(fd, &event, 1, 0));
  answer("bad number", epoll_wait(set, &event, 0, 0));
  return 0;
}
