/* The same over ::1, where there is one. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, name;
  socklen_t length = sizeof name;
  int trial = socket(AF_INET6, SOCK_STREAM, 0);
  if (trial < 0 || bind(trial, (struct sockaddr*)&address, sizeof address) != 0) {
    puts("no IPv6");
    return 0;
  }
  close(trial);
  address.sin6_port = htons((uint16_t)peer_port);
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  answer("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("peer family %d length %u port %d address %d\n", name.sin6_family, length,
         name.sin6_port == address.sin6_port, IN6_IS_ADDR_LOOPBACK(&name.sin6_addr));
  length = sizeof name;
  answer("getsockname", getsockname(fd, (struct sockaddr*)&name, &length));
  printf("own family %d length %u port %s\n", name.sin6_family, length,
         name.sin6_port ? "set" : "0");
  answer("SO_DOMAIN", socket_option(fd, SOL_SOCKET, SO_DOMAIN));
  answer("connect again", connect(fd, (struct sockaddr*)&address, sizeof address));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
