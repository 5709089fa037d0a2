/* Without SA_RESTART a signal ends recv, read, recvmsg, poll, select, epoll_wait and a blocked send
 * with EINTR. */
#include "probe.h"

static void tick(int number) { (void)number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16], key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open(), set = epoll_create1(0);
  peer_script(fd, "hold %s", key);
  struct iovec one = {text, sizeof text};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  struct pollfd p = {.fd = fd, .events = POLLIN};
  struct epoll_event event;
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 1);
  start_ticks(tick, 0);
  answer("recv", recv(fd, text, 16, 0));
  answer("peek", recv(fd, text, 16, MSG_PEEK));
  answer("read", read(fd, text, 16));
  answer("readv", readv(fd, &one, 1));
  answer("recvmsg", recvmsg(fd, &message, 0));
  answer("poll", poll(&p, 1, -1));
  answer("select", select(fd + 1, &readable, NULL, NULL, NULL));
  answer("epoll_wait", epoll_wait(set, &event, 1, -1));
  static char block[10000];
  ssize_t n;
  while ((n = send(fd, block, sizeof block, 0)) > 0) {
  }
  answer("send", n);
  while ((n = write(fd, block, sizeof block)) > 0) {
  }
  answer("write", n);
  signal(SIGUSR1, SIG_IGN);
  peer_release(key);
  return 0;
}
