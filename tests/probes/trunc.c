/* MSG_TRUNC on TCP throws octets away without touching the buffer. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say abcdefghij");
  char text[16] = "-----";
  await_octets(fd, 10);
  answer("recv", recv(fd, text, 3, MSG_TRUNC));
  printf("%.5s\n", text);
  answer("recv NULL", recv(fd, NULL, 2, MSG_TRUNC));
  answer_octets("recv", recv(fd, text, 2, 0), text);
  answer("recv more", recv(fd, text, sizeof text, MSG_TRUNC));
  answer("recv", recv(fd, text, sizeof text, MSG_DONTWAIT));
  return 0;
}
