/* What poll and epoll say, asked for everything and for nothing, as either side ends its direction,
 * both orders, and after a reset; SO_ERROR and TCP_INFO beside it. */
#include "probe.h"

static int set;

static void look(const char* what, int fd) {
  struct pollfd all = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM},
                nothing = {.fd = fd};
  struct epoll_event event = {0};
  poll(&all, 1, 0);
  poll(&nothing, 1, 0);
  answer_poll(what, all.revents);
  answer_poll("  asked for nothing", nothing.revents);
  epoll_wait(set, &event, 1, 0);
  answer_epoll("  epoll", event.events);
}

static int watch(int fd) {
  set = epoll_create1(EPOLL_CLOEXEC);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP, 0);
  return fd;
}

static void done(int fd) {
  close(set);
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char key[64], octet, reply[64];
  int fd = watch(peer("parts hello world"));
  look("nothing came yet or five", (await_octets(fd, 5), fd));
  shutdown(fd, SHUT_RD);
  look("we read no more", fd);
  done(fd);

  fd = watch(peer("digest"));
  look("open", fd);
  shutdown(fd, SHUT_WR);
  await(fd, POLLRDHUP);
  look("we ended, the peer answered and ended", fd);
  while (recv(fd, &octet, 1, 0) == 1) {
  }
  look("read to the end", fd);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  done(fd);

  snprintf(key, sizeof key, "%s", fresh_key());
  fd = peer_open();
  peer_script(fd, "half-close %s", key);
  watch(fd);
  await(fd, POLLRDHUP);
  look("the peer ended", fd);
  answer("recv", recv(fd, &octet, 1, 0));
  answer("send", send(fd, "x", 1, 0));
  look("still", fd);
  shutdown(fd, SHUT_WR);
  look("we ended too", fd);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, 1, crc32_of(0, "x", 1));
  done(fd);

  fd = watch(peer("discard"));
  shutdown(fd, SHUT_RDWR);
  await(fd, POLLHUP);
  look("both", fd);
  answer("recv", recv(fd, &octet, 1, 0));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  done(fd);

  fd = watch(peer("reset-after"));
  send_all(fd, "g", 1);
  await(fd, POLLHUP);
  look("reset", fd);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  look("error taken", fd);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("recv", recv(fd, &octet, 1, 0));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer("getpeername", getpeername(fd, (struct sockaddr*)reply, &(socklen_t){sizeof reply}));
  done(fd);
  return 0;
}
