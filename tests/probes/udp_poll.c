/* poll, select and ppoll: writable from the start, readable while a datagram waits, and not after.
 */
#include "datagram.h"

static void states(const char* what, int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
  poll(&p, 1, 0);
  answer_poll(what, p.revents);
  fd_set readable, writable;
  struct timeval now = {0, 0};
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(fd, &readable);
  FD_SET(fd, &writable);
  answer("  select", select(fd + 1, &readable, &writable, NULL, &now));
  printf("  %d %d\n", FD_ISSET(fd, &readable) != 0, FD_ISSET(fd, &writable) != 0);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[128];
  states("fresh", fd);
  const char* key = fresh_key();
  snprintf(text, sizeof text, "#hold %s late", key);
  answer("sendto", sendto(fd, text, strlen(text), 0, PEER_SOCKADDR, PEER_LENGTH) > 0);
  states("sent", fd);
  peer_release(key);
  answer_poll("wait", await(fd, POLLIN));
  states("there", fd);
  answer_from("recvfrom", fd, &peer_address);
  states("taken", fd);
  say(fd, "#many 2");
  await(fd, POLLIN);
  answer_datagram("recv", fd);
  answer_poll("wait", await(fd, POLLIN));
  answer_datagram("recv", fd);
  states("none", fd);
  return 0;
}
