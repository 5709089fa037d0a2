/* MSG_MORE, TCP_CORK and MSG_EOR octets all arrive; MSG_DONTROUTE and MSG_CONFIRM are accepted. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int on = 1, off = 0, fd = peer("echo");
  char back[32];
  answer("MSG_MORE", send(fd, "abc", 3, MSG_MORE));
  answer("send", send(fd, "def", 3, 0));
  answer_octets("echo", (long)recv_all(fd, back, 6), back);
  answer("TCP_CORK", setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on));
  answer("send", send(fd, "ghi", 3, 0));
  answer("TCP_CORK get", socket_option(fd, IPPROTO_TCP, TCP_CORK));
  answer("TCP_CORK", setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off));
  answer_octets("echo", (long)recv_all(fd, back, 3), back);
  answer("MSG_EOR", send(fd, "jkl", 3, MSG_EOR));
  answer("MSG_CONFIRM", send(fd, "mno", 3, MSG_CONFIRM));
  answer_octets("echo", (long)recv_all(fd, back, 6), back);
  answer("MSG_MORE alone", send(fd, "late", 4, MSG_MORE));
  answer_octets("echo", (long)recv_all(fd, back, 4), back);
  return 0;
}
