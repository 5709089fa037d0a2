/* The largest datagram that UDP over IPv4 has, 65507 octets. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[LARGEST], back[LARGEST];
  int fd = udp_connected();
  answer("send", send(fd, out, sizeof out, 0));
  struct timeval brief = {2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  answer("recv", recv(fd, back, sizeof back, 0));
  return 0;
}
