/* A buffer that is too short: the rest is gone; MSG_TRUNC gives the true length, recvmsg says so in
 * its flags. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_connected();
  char text[64];
  struct iovec one = {text, 4};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  send(fd, "0123456789", 10, 0);
  send(fd, "next", 4, 0);
  answer_octets("short", recv(fd, text, 4, 0), text);
  answer_octets("next", recv(fd, text, sizeof text, 0), text);
  send(fd, "0123456789", 10, 0);
  answer("true length", recv(fd, text, 4, MSG_TRUNC));
  printf("%.4s\n", text);
  send(fd, "0123456789", 10, 0);
  answer("recvmsg", recvmsg(fd, &message, 0));
  printf("flags %x\n", message.msg_flags);
  send(fd, "0123456789", 10, 0);
  answer("no room", recv(fd, text, 0, 0));
  send(fd, "0123456789", 10, 0);
  answer("no room, true length", recv(fd, NULL, 0, MSG_TRUNC));
  send(fd, "end", 3, 0);
  answer_datagram("end", fd);
  return 0;
}
