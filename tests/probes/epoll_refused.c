/* A refused non-blocking connect wakes level, edge and one-shot waiters registered before it. */
#include "probe.h"

static void run(const char* name, uint32_t how) {
  struct sockaddr_in nobody = refusing_address();
  int fd = tcp_socket(SOCK_NONBLOCK), set = epoll_create1(0);
  puts(name);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLOUT | how, 7));
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer_wait("refused", set, -1);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  close(fd);
  close(set);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run("level", 0);
  run("edge", EPOLLET);
  run("one-shot", EPOLLONESHOT);
  return 0;
}
