/* A connected socket sends to another address: it goes there, and what comes from there is not
 * received. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in other;
  peer_addresses(&other, 1);
  int fd = udp_connected(), plain = udp_socket(0);
  char text[64];
  answer("send", send(fd, "mine", 4, 0));
  answer_datagram("recv", fd);
  answer("elsewhere", sendto(fd, "lost", 4, 0, (struct sockaddr*)&other, sizeof other));
  answer("plain", sendto(plain, "seen", 4, 0, (struct sockaddr*)&other, sizeof other));
  answer_from("recvfrom", plain, &other);
  answer("send", send(fd, "mine again", 10, 0));
  answer_datagram("recv", fd);
  answer("nothing more", recv(fd, text, sizeof text, MSG_DONTWAIT));
  return 0;
}
