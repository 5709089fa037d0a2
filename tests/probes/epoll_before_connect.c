/* Registered on a fresh socket, before a blocking connect: level, edge and one-shot. */
#include "probe.h"

static void run(const char* name, uint32_t how) {
  int fd = tcp_socket(0), set = epoll_create1(0);
  char text[16];
  puts(name);
  answer("ADD", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | how, 7));
  answer_wait("fresh", set, 0);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  if (how & EPOLLONESHOT) {
    answer_wait("spent", set, 0);
    answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | how, 8));
  }
  answer_wait("connected", set, -1);
  answer("MOD", epoll_change(set, EPOLL_CTL_MOD, fd, EPOLLIN | how, 9));
  answer_wait("quiet", set, 0);
  peer_script(fd, "say hello");
  answer_wait("readable", set, -1);
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer_wait("drained", set, 0);
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
