/* Datagrams of no octets: sent in every way, readable, received as 0 with their sender. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), there = -1;
  answer("sendto", say(fd, ""));
  answer_poll("readable", await(fd, POLLIN));
  answer("FIONREAD", ioctl(fd, FIONREAD, &there));
  answer("octets", there);
  answer_from("recvfrom", fd, &peer_address);
  fd = udp_connected();
  answer("send", send(fd, "", 0, 0));
  answer_datagram("recv", fd);
  answer("send nothing", send(fd, NULL, 0, 0));
  answer_datagram("recv", fd);
  answer("write", write(fd, "", 0));
  answer("send", send(fd, "full", 4, 0));
  char text[64];
  long n = recv(fd, text, sizeof text, 0);
  printf("write sends %s\n", n == 0 ? "one" : "none");
  if (n == 0) answer_datagram("recv", fd);
  return 0;
}
