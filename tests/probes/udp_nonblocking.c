/* The first datagram of a non-blocking socket goes at once; EAGAIN, MSG_DONTWAIT, FIONBIO. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(SOCK_NONBLOCK), other = udp_socket(0), on = 1;
  char text[64];
  answer("nothing", recv(fd, text, sizeof text, 0));
  answer("sendto", say(fd, "at once"));
  answer_poll("readable", await(fd, POLLIN));
  answer_from("recvfrom", fd, &peer_address);
  answer("nothing", recv(fd, text, sizeof text, 0));
  int third = udp_socket(SOCK_NONBLOCK);
  answer("connect", connect(third, PEER_SOCKADDR, PEER_LENGTH));
  answer("send", send(third, "connected", 9, 0));
  answer_poll("readable", await(third, POLLIN));
  answer_datagram("recv", third);
  answer("MSG_DONTWAIT", recv(other, text, sizeof text, MSG_DONTWAIT));
  answer("sendto", sendto(other, "dont", 4, MSG_DONTWAIT, PEER_SOCKADDR, PEER_LENGTH));
  answer_from("recvfrom", other, &peer_address);
  answer("FIONBIO", ioctl(other, FIONBIO, &on));
  answer("nothing", recv(other, text, sizeof text, 0));
  printf("O_NONBLOCK %d\n", (fcntl(other, F_GETFL) & O_NONBLOCK) != 0);
  return 0;
}
