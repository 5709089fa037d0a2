/* An IPv6 socket to ::ffff:127.0.0.1: the names stay v4-mapped; one socket for both families;
 * IPV6_V6ONLY forbids it. */
#include "datagram.h"

static void receive(const char* what, int fd) {
  char text[64], host[INET6_ADDRSTRLEN];
  struct sockaddr_in6 name = {0};
  socklen_t length = sizeof name;
  answer_octets(what, recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length), text);
  inet_ntop(AF_INET6, &name.sin6_addr, host, sizeof host);
  printf("  length %u %s port %d\n", length, host, name.sin6_port == peer_address.sin_port);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = peer_address.sin_port},
                      six = mapped, name = {0};
  socklen_t length = sizeof name;
  int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
  if (fd < 0) {
    puts("no IPv6 here");
    return 0;
  }
  inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
  six.sin6_addr = in6addr_loopback;
  answer("mapped", sendto(fd, "four", 4, 0, (struct sockaddr*)&mapped, sizeof mapped));
  receive("recvfrom", fd);
  answer("six", sendto(fd, "six", 3, 0, (struct sockaddr*)&six, sizeof six));
  receive("recvfrom", fd);
  answer("connect", connect(fd, (struct sockaddr*)&mapped, sizeof mapped));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("same", memcmp(&name, &mapped, sizeof name) == 0);
  answer("send", send(fd, "connected", 9, 0));
  receive("recvfrom", fd);
  fd = socket(AF_INET6, SOCK_DGRAM, 0);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  answer("v6only", sendto(fd, "x", 1, 0, (struct sockaddr*)&mapped, sizeof mapped));
  answer("connect", connect(fd, (struct sockaddr*)&mapped, sizeof mapped));
  answer("six", sendto(fd, "six", 3, 0, (struct sockaddr*)&six, sizeof six));
  receive("recvfrom", fd);
  return 0;
}
