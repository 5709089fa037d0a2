/* The largest datagram that UDP over IPv4 has, 65507 octets. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[LARGEST], back[LARGEST];
  int fd = udp_connected();
  const ssize_t sent = send(fd, out, sizeof out, 0);
  struct timeval limit = {sent < 0 ? 2 : 50, 0};
  answer("send", sent);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  answer("recv", recv(fd, back, sizeof back, 0));
  return 0;
}
