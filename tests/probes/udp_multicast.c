/* Options of multicast, and a group that is joined on loopback: what setsockopt says. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct ip_mreq group = {0};
  int fd = udp_socket(0), value = 5;
  inet_pton(AF_INET, "239.255.0.1", &group.imr_multiaddr);
  group.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
  answer("IP_MULTICAST_TTL", setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &value, sizeof value));
  value = 0;
  answer("IP_MULTICAST_LOOP", setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &value, sizeof value));
  answer("IP_ADD_MEMBERSHIP", setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group));
  answer("again", setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group));
  answer("IP_DROP_MEMBERSHIP",
         setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof group));
  answer_datagram_echo(fd, "works");
  return 0;
}
