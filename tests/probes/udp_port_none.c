/* Port 0: connect takes it, as programs do that ask where they would send from; nothing is sent to
 * it. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in nobody = peer_address, name;
  socklen_t length = sizeof name;
  nobody.sin_port = 0;
  int fd = udp_socket(0);
  answer("sendto", sendto(fd, "x", 1, 0, (struct sockaddr*)&nobody, sizeof nobody));
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  must("getsockname", getsockname(fd, (struct sockaddr*)&name, &length) == 0);
  printf("from %x, a port %d\n", ntohl(name.sin_addr.s_addr), name.sin_port != 0);
  length = sizeof name;
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("connect on", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  must("send", send(fd, "to the peer", 11, 0) == 11);
  answer_from("echo", fd, &peer_address);
  return 0;
}
