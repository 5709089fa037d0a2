/* An IPv6 socket to ::ffff:127.0.0.1: the names stay v4-mapped. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6}, name;
  socklen_t length = sizeof name;
  char text[INET6_ADDRSTRLEN];
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) {
    puts("no IPv6");
    return 0;
  }
  address.sin6_port = htons((uint16_t)peer_port);
  address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xFF;
  memcpy(&address.sin6_addr.s6_addr[12], &peer_address.sin_addr, 4);
  answer("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("peer family %d length %u port %d %s\n", name.sin6_family, length,
         name.sin6_port == address.sin6_port,
         inet_ntop(AF_INET6, &name.sin6_addr, text, sizeof text));
  length = sizeof name;
  answer("getsockname", getsockname(fd, (struct sockaddr*)&name, &length));
  printf("own family %d length %u mapped %d\n", name.sin6_family, length,
         IN6_IS_ADDR_V4MAPPED(&name.sin6_addr));
  answer("SO_DOMAIN", socket_option(fd, SOL_SOCKET, SO_DOMAIN));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
