/* MSG_DONTWAIT on a blocking socket: EAGAIN, then what is there, then EAGAIN again. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer_open();
  char text[16];
  struct iovec one = {text, sizeof text};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  answer("recv", recv(fd, text, sizeof text, MSG_DONTWAIT));
  answer("recvfrom", recvfrom(fd, text, sizeof text, MSG_DONTWAIT, NULL, NULL));
  answer("recvmsg", recvmsg(fd, &message, MSG_DONTWAIT));
  answer("send", send(fd, "say hello\n", 10, MSG_DONTWAIT));
  await(fd, POLLIN);
  answer_octets("recv", recv(fd, text, 4, MSG_DONTWAIT), text);
  answer_octets("recv", recv(fd, text, 4, MSG_DONTWAIT), text);
  answer("recv", recv(fd, text, 4, MSG_DONTWAIT));
  answer("O_NONBLOCK", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  return 0;
}
