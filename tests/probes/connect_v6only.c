/* IPV6_V6ONLY forbids the v4-mapped address. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6};
  int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) {
    puts("no IPv6");
    return 0;
  }
  address.sin6_port = htons((uint16_t)peer_port);
  address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xFF;
  memcpy(&address.sin6_addr.s6_addr[12], &peer_address.sin_addr, 4);
  answer("IPV6_V6ONLY", setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
  answer("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
  return 0;
}
