/* Addresses that cannot be sent to or connected to, descriptors that are none, buffers that are not
 * there. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  struct sockaddr_in to = peer_address;
  char text[16];
  answer("closed", sendto(-1, "x", 1, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer("no socket", sendto(1, "x", 1, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer("short", sendto(fd, "x", 1, 0, PEER_SOCKADDR, 8));
  answer("short connect", connect(fd, PEER_SOCKADDR, 8));
  to.sin_port = 0;
  answer("port 0", sendto(fd, "x", 1, 0, (struct sockaddr*)&to, sizeof to));
  to = peer_address;
  to.sin_family = AF_UNIX;
  answer("family", sendto(fd, "x", 1, 0, (struct sockaddr*)&to, sizeof to));
  answer("connect", connect(fd, (struct sockaddr*)&to, sizeof to));
  to = peer_address;
  to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
  answer("broadcast", sendto(fd, "x", 1, 0, (struct sockaddr*)&to, sizeof to));
  answer("broadcast connect", connect(fd, (struct sockaddr*)&to, sizeof to));
  answer("bad buffer", sendto(fd, (void*)8, 10, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer("bad address", sendto(fd, "x", 1, 0, (struct sockaddr*)8, PEER_LENGTH));
  answer("bad connect", connect(fd, (struct sockaddr*)8, PEER_LENGTH));
  answer("bad flag", recv(fd, text, sizeof text, MSG_OOB | MSG_DONTWAIT));
  answer_datagram_echo(fd, "works");
  say(fd, "bad room");
  await(fd, POLLIN);
  answer("bad room", recv(fd, (void*)8, 10, 0));
  answer("taken", recv(fd, text, sizeof text, MSG_DONTWAIT));
  answer("error queue", recv(fd, text, sizeof text, MSG_ERRQUEUE | MSG_DONTWAIT));
  answer_datagram_echo(fd, "still works");
  return 0;
}
