/* poll, select and epoll show the connection that comes, and not before; a non-blocking accept says
 * EAGAIN. */
#include "listener.h"

static void states(const char* what, int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
  fd_set set;
  struct timeval now = {0, 0};
  FD_ZERO(&set);
  FD_SET(fd, &set);
  poll(&p, 1, 0);
  answer_poll(what, p.revents);
  answer("  select", select(fd + 1, &set, NULL, NULL, &now));
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(SOCK_NONBLOCK);
  int level = epoll_create1(0), edge = epoll_create1(0), once = epoll_create1(0);
  epoll_change(level, EPOLL_CTL_ADD, listener, EPOLLIN, 1);
  epoll_change(edge, EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLET, 2);
  epoll_change(once, EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLONESHOT, 3);
  states("quiet", listener);
  answer("accept", accept(listener, NULL, NULL));
  for (int i = 0; i < 2; ++i) {
    int port = call(listener, "echo");
    answer_poll("poll", await(listener, POLLIN));
    states("called", listener);
    answer_wait("level", level, -1);
    answer_wait("level", level, 0);
    answer_wait("edge", edge, -1);
    answer_wait("edge", edge, 0);
    answer_wait("once", once, 0);
    int fd = accept_from("accept", listener, port);
    printf("O_NONBLOCK %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    answer_echo(fd, "hello");
    answer("accept", accept(listener, NULL, NULL));
    states("taken", listener);
    answer_wait("level", level, 0);
    close(fd);
  }
  return 0;
}
