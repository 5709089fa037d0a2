/* sendto and recvfrom without a connection: octets, addresses, short and missing names; send and
 * write have nowhere to go. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  char text[64];
  struct sockaddr_in name;
  socklen_t length;
  answer("send", send(fd, "x", 1, 0));
  answer("write", write(fd, "x", 1));
  answer("sendto", say(fd, "hello"));
  answer_from("recvfrom", fd, &peer_address);
  say(fd, "again");
  memset(&name, 0, sizeof name);
  length = 4;
  answer_octets("short name", recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length),
                text);
  printf("length %u family %d port %d right %d\n", length, name.sin_family,
         name.sin_port == peer_address.sin_port, name.sin_addr.s_addr != 0);
  say(fd, "no name");
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  say(fd, "by read");
  answer_octets("read", read(fd, text, sizeof text), text);
  say(fd, "null");
  answer_octets("null name", recvfrom(fd, text, sizeof text, 0, NULL, NULL), text);
  for (int i = 0; i < 50; ++i) {
    snprintf(text, sizeof text, "number %d", i);
    must("sendto", say(fd, text) > 0);
    char back[64] = {0};
    must("recv",
         recv(fd, back, sizeof back, 0) == (ssize_t)strlen(text) && strcmp(text, back) == 0);
  }
  puts("fifty");
  return 0;
}
