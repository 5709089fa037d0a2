/* MSG_PEEK leaves the datagram, whole and with its sender; with MSG_TRUNC and no room it gives the
 * length. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[64];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  say(fd, "first");
  await(fd, POLLIN);
  answer_octets("peek", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_octets("short", recv(fd, text, 2, MSG_PEEK), text);
  answer("length", recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC));
  answer("from", recvfrom(fd, text, sizeof text, MSG_PEEK, (struct sockaddr*)&name, &length));
  answer("it", same_address(&name, &peer_address));
  answer_from("take", fd, &peer_address);
  answer("gone", recv(fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT));
  say(fd, "second");
  answer_octets("waits", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_from("take", fd, &peer_address);
  return 0;
}
