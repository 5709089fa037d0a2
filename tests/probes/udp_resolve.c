/* getaddrinfo of a name for datagrams, then sendto and connect to what it gives; the answers come
 * from that address. */
#include "datagram.h"

#include <netdb.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *list = NULL;
  struct sockaddr_in to, name = {0};
  socklen_t length = sizeof name;
  char port[16];
  snprintf(port, sizeof port, "%d", peer_port);
  answer("getaddrinfo", getaddrinfo("localhost", port, &hints, &list));
  printf("type %d protocol %d\n", list->ai_socktype, list->ai_protocol);
  memcpy(&to, list->ai_addr, sizeof to);
  freeaddrinfo(list);
  int fd = udp_socket(0);
  answer("sendto", sendto(fd, "by name", 7, 0, (struct sockaddr*)&to, sizeof to));
  answer_from("recvfrom", fd, &to);
  answer_datagram_echo(fd, "by address");
  answer("sendto", sendto(fd, "by name again", 13, 0, (struct sockaddr*)&to, sizeof to));
  answer_from("recvfrom", fd, &to);
  fd = udp_socket(0);
  answer("connect", connect(fd, (struct sockaddr*)&to, sizeof to));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("same", same_address(&name, &to));
  answer("send", send(fd, "connected", 9, 0));
  answer_from("recvfrom", fd, &to);
  return 0;
}
