/* MSG_PEEK again and again, over a growing stream, longer than what is there; nothing is taken. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("parts hello world again"), n;
  char text[64], first[4], second[16];
  await(fd, POLLIN);
  answer_octets("peek", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_octets("peek", recv(fd, text, 3, MSG_PEEK), text);
  answer_octets("peek", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_octets("read", read(fd, text, 2), text);
  answer_octets("peek", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_poll("revents", await(fd, POLLIN));
  send_all(fd, "g", 1);
  do n = (int)recv(fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT);
  while (n >= 0 && n < 8);
  answer_octets("peek more", n, text);
  struct iovec two[2] = {{first, 4}, {second, 16}};
  struct msghdr message = {.msg_iov = two, .msg_iovlen = 2};
  answer("recvmsg peek", recvmsg(fd, &message, MSG_PEEK));
  printf("%.4s %.4s\n", first, second);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("peek nothing", recv(fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT));
  send_all(fd, "g", 1);
  answer_octets("peek blocked", recv(fd, text, sizeof text, MSG_PEEK), text);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  send_all(fd, "g", 1);
  answer("peek end", recv(fd, text, sizeof text, MSG_PEEK));
  answer("recv end", recv(fd, text, sizeof text, 0));
  return 0;
}
