/* The checked twins that _FORTIFY_SOURCE makes of recv, recvfrom, read and poll. */
#include "datagram.h"

extern ssize_t __recv_chk(int, void*, size_t, size_t, int);
extern ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, struct sockaddr*, socklen_t*);
extern ssize_t __read_chk(int, void*, size_t, size_t);
extern int __poll_chk(struct pollfd*, nfds_t, int, size_t);

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[32];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  struct pollfd p = {.fd = fd, .events = POLLIN};
  say(fd, "one");
  answer("poll", __poll_chk(&p, 1, -1, sizeof p));
  answer_octets(
      "recvfrom",
      __recvfrom_chk(fd, text, sizeof text, sizeof text, 0, (struct sockaddr*)&name, &length),
      text);
  printf("length %u it %d\n", length, same_address(&name, &peer_address));
  say(fd, "two");
  answer_octets("recv", __recv_chk(fd, text, sizeof text, sizeof text, 0), text);
  say(fd, "three");
  answer_octets("read", __read_chk(fd, text, sizeof text, sizeof text), text);
  return 0;
}
