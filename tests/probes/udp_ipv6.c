/* Over ::1, where there is one: sendto, connect, names. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = peer_address.sin_port},
                      name = {0};
  socklen_t length = sizeof name;
  char text[64];
  to.sin6_addr = in6addr_loopback;
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd,
                     (struct sockaddr*)&(struct sockaddr_in6){.sin6_family = AF_INET6,
                                                              .sin6_addr = in6addr_loopback},
                     sizeof to) != 0) {
    puts("no IPv6 here");
    return 0;
  }
  close(fd);
  fd = socket(AF_INET6, SOCK_DGRAM, 0);
  answer("sendto", sendto(fd, "six", 3, 0, (struct sockaddr*)&to, sizeof to));
  answer_octets("recvfrom", recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length),
                text);
  printf("length %u family %d port %d address %d scope %u flow %u\n", length,
         name.sin6_family == AF_INET6, name.sin6_port == to.sin6_port,
         memcmp(&name.sin6_addr, &to.sin6_addr, 16) == 0, name.sin6_scope_id, name.sin6_flowinfo);
  answer("connect", connect(fd, (struct sockaddr*)&to, sizeof to));
  length = sizeof name;
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u port %d address %d\n", length, name.sin6_port == to.sin6_port,
         memcmp(&name.sin6_addr, &to.sin6_addr, 16) == 0);
  answer("send", send(fd, "connected", 9, 0));
  answer_datagram("recv", fd);
  answer("IPv4 address", sendto(fd, "x", 1, 0, PEER_SOCKADDR, PEER_LENGTH));
  return 0;
}
