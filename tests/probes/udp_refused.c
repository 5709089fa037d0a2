/* A port that refuses: what ICMP says reaches a connected socket, by send, recv, poll, epoll and
 * SO_ERROR, once. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in refusing = refusing_datagrams();
  int fd = udp_socket(0);
  char text[16];
  struct timeval brief = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  answer("connect", connect(fd, (struct sockaddr*)&refusing, sizeof refusing));
  answer("send", send(fd, "x", 1, 0));
  answer("recv", recv(fd, text, sizeof text, 0));
  answer("send", send(fd, "x", 1, 0));
  struct pollfd p = {.fd = fd, .events = POLLIN};
  poll(&p, 1, 1000);
  answer_poll("poll", p.revents);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("send", send(fd, "x", 1, 0));
  return 0;
}
