/* The same seen whole: POLLERR and POLLIN too, before and after SO_ERROR, by poll, select and
 * epoll. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in nobody = refusing_address();
  int fd = tcp_socket(SOCK_NONBLOCK), set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP};
  fd_set readable, writable;
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  answer("epoll_wait", epoll_wait(set, &event, 1, -1));
  answer_epoll("events", event.events);
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  writable = readable;
  answer("select", select(fd + 1, &readable, &writable, NULL, NULL));
  printf("readable %d writable %d\n", FD_ISSET(fd, &readable) != 0, FD_ISSET(fd, &writable) != 0);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  return 0;
}
