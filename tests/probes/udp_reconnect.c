/* connect again to another peer, and dissolved by AF_UNSPEC: names, and to whom and from whom
 * datagrams go. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in other, name = {0};
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  socklen_t length = sizeof name;
  peer_addresses(&other, 1);
  int fd = udp_connected();
  send(fd, "first", 5, 0);
  answer_from("first", fd, &peer_address);
  answer("connect", connect(fd, (struct sockaddr*)&other, sizeof other));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("other", same_address(&name, &other));
  answer("send", send(fd, "second", 6, 0));
  answer_from("second", fd, &other);
  answer("unspec", connect(fd, &none, sizeof none));
  length = sizeof name;
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("send", send(fd, "x", 1, 0));
  answer("sendto", say(fd, "third"));
  answer_from("third", fd, &peer_address);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_peername(fd);
  answer("send", send(fd, "fourth", 6, 0));
  answer_from("fourth", fd, &peer_address);
  return 0;
}
