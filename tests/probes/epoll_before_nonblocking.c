/* Registered on a fresh socket, before a non-blocking connect: the event is EPOLLOUT when connected
 * and not before. */
#include "probe.h"

static void run(const char* name, uint32_t how) {
  int fd = tcp_socket(SOCK_NONBLOCK), set = epoll_create1(0);
  char text[16];
  puts(name);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | how, 7));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_wait("connected", set, -1);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_peername(fd);
  answer_wait("again", set, 0);
  if (how & EPOLLONESHOT) epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | how, 8);
  if (!how) epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN, 9);
  peer_script(fd, "say hello");
  answer_wait("readable", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
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
