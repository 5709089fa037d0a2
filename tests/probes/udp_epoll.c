/* epoll, level, edge and one-shot, registered before the first datagram: one edge for each that
 * comes. */
#include "datagram.h"

static void rounds(const char* what, uint32_t how) {
  int fd = udp_socket(0), set = epoll_create1(0);
  char text[128];
  printf("%s\n", what);
  answer("add", epoll_change(set, EPOLL_CTL_ADD, fd, how | EPOLLIN, 7));
  answer_wait("nothing yet", set, 0);
  say(fd, "one");
  answer_wait("one", set, -1);
  answer_wait("one still", set, 0);
  const char* key = fresh_key();
  snprintf(text, sizeof text, "#hold %s two", key);
  say(fd, text);
  peer_release(key);
  answer_datagram("first", fd);
  while (recv(fd, text, sizeof text, MSG_PEEK) != 3) {
  }
  if (how & EPOLLONESHOT) answer("mod", epoll_change(set, EPOLL_CTL_MOD, fd, how | EPOLLIN, 8));
  answer_wait("second", set, -1);
  answer_datagram("second", fd);
  answer_wait("none", set, 0);
  answer("del", epoll_change(set, EPOLL_CTL_DEL, fd, 0, 0));
  close(set);
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  rounds("level", 0);
  rounds("edge", EPOLLET);
  rounds("one-shot", EPOLLONESHOT);
  int fd = udp_socket(0), set = epoll_create1(0);
  answer("add", epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLET, 9));
  answer_wait("writable", set, -1);
  answer_wait("nothing", set, 0);
  return 0;
}
