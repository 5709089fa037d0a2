/* What describes the socket, and options that are set before and after the first datagram. */
#include "datagram.h"

#include <netinet/udp.h>

static void describe(int fd) {
  answer("SO_TYPE", socket_option(fd, SOL_SOCKET, SO_TYPE));
  answer("SO_PROTOCOL", socket_option(fd, SOL_SOCKET, SO_PROTOCOL));
  answer("SO_DOMAIN", socket_option(fd, SOL_SOCKET, SO_DOMAIN));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_BROADCAST", socket_option(fd, SOL_SOCKET, SO_BROADCAST));
  answer("SO_REUSEADDR", socket_option(fd, SOL_SOCKET, SO_REUSEADDR));
  answer("SO_ACCEPTCONN", socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN));
  answer("SO_RCVBUF", socket_option(fd, SOL_SOCKET, SO_RCVBUF));
  answer("SO_SNDBUF", socket_option(fd, SOL_SOCKET, SO_SNDBUF));
  answer("IP_TTL", socket_option(fd, IPPROTO_IP, IP_TTL));
  answer("IP_MTU_DISCOVER", socket_option(fd, IPPROTO_IP, IP_MTU_DISCOVER));
  answer("UDP_CORK", socket_option(fd, IPPROTO_UDP, UDP_CORK));
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), value = 100000, on = 1;
  describe(fd);
  answer("SO_RCVBUF", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value));
  answer("SO_SNDBUF", setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
  answer("SO_BROADCAST", setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
  answer_datagram_echo(fd, "hello");
  describe(fd);
  answer("UDP_CORK", setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
  say(fd, "one ");
  say(fd, "datagram");
  on = 0;
  answer("uncork", setsockopt(fd, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
  answer_from("recvfrom", fd, &peer_address);
  answer("MSG_MORE", sendto(fd, "and ", 4, MSG_MORE, PEER_SOCKADDR, PEER_LENGTH));
  say(fd, "another");
  answer_from("recvfrom", fd, &peer_address);
  answer("MSG_CONFIRM", sendto(fd, "confirm", 7, MSG_CONFIRM, PEER_SOCKADDR, PEER_LENGTH));
  answer_from("recvfrom", fd, &peer_address);
  answer("MSG_OOB", sendto(fd, "x", 1, MSG_OOB, PEER_SOCKADDR, PEER_LENGTH));
  answer("listen", listen(fd, 1));
  answer("accept", accept(fd, NULL, NULL));
  return 0;
}
