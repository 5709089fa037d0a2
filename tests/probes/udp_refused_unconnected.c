/* A port that refuses: an unconnected socket hears nothing of it, and goes on with others. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in refusing = refusing_datagrams();
  int fd = udp_socket(0);
  char text[16];
  answer("sendto", sendto(fd, "x", 1, 0, (struct sockaddr*)&refusing, sizeof refusing));
  answer("sendto", sendto(fd, "x", 1, 0, (struct sockaddr*)&refusing, sizeof refusing));
  answer_datagram_echo(fd, "others");
  answer("nothing", recv(fd, text, sizeof text, MSG_DONTWAIT));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  return 0;
}
