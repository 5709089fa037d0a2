/* A peer that answers from another port, as TFTP does: seen with that port, which can be answered;
 * a connected socket sees nothing of it. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[64];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  struct timeval limit = {50, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  say(fd, "#other hello");
  answer_octets("recvfrom", recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length),
                text);
  printf("address %d port %d\n", name.sin_addr.s_addr == peer_address.sin_addr.s_addr,
         name.sin_port == peer_address.sin_port);
  fd = udp_connected();
  send(fd, "#other lost", 11, 0);
  send(fd, "seen", 4, 0);
  answer_datagram("recv", fd);
  return 0;
}
