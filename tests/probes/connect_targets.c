/* connect to port 0, to nowhere in particular, to broadcast and multicast addresses: the errno, and
 * who the peer is. */
#include "probe.h"

static void try(const char* what, const char* host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, name;
  socklen_t length = sizeof name;
  char text[64];
  int fd = tcp_socket(0), on = 1;
  must("inet_pton", inet_pton(AF_INET, host, &address.sin_addr) == 1);
  must("SO_BROADCAST", setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0);
  if (answer(what, connect(fd, (struct sockaddr*)&address, sizeof address)) == 0) {
    getpeername(fd, (struct sockaddr*)&name, &length);
    printf("peer %s %s\n", inet_ntop(AF_INET, &name.sin_addr, text, sizeof text),
           name.sin_port == address.sin_port ? "same port" : "other port");
    peer_script(fd, "echo");
    answer_echo(fd, "hello");
  }
  close(fd);
}

static void try_six(const char* what, const char* host) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)peer_port)};
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  must("inet_pton", inet_pton(AF_INET6, host, &address.sin6_addr) == 1);
  if (fd < 0) {
    printf("%s no IPv6\n", what);
    return;
  }
  answer(what, connect(fd, (struct sockaddr*)&address, sizeof address));
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  try("port 0", "127.0.0.1", 0);
  try("nowhere", "0.0.0.0", peer_port);
  try("broadcast", "255.255.255.255", peer_port);
  try("the network's broadcast", "127.255.255.255", peer_port);
  try_six("multicast", "ff02::1");
  return 0;
}
