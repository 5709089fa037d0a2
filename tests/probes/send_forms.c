/* send, sendto with and without an address, sendmsg, sendmmsg, write, writev: what each returns,
 * and the echo of all. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo");
  char back[128];
  struct iovec three[3] = {{"mn", 2}, {"", 0}, {"opq", 3}};
  struct iovec one = {"rst", 3}, two = {"uv", 2};
  struct msghdr message = {.msg_iov = three, .msg_iovlen = 3};
  struct mmsghdr several[2];
  memset(several, 0, sizeof several);
  several[0].msg_hdr.msg_iov = &one;
  several[0].msg_hdr.msg_iovlen = 1;
  several[1].msg_hdr.msg_iov = &two;
  several[1].msg_hdr.msg_iovlen = 1;
  answer("send", send(fd, "abc", 3, 0));
  answer("sendto", sendto(fd, "def", 3, 0, NULL, 0));
  answer("sendto address", sendto(fd, "ghi", 3, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer("write", write(fd, "jkl", 3));
  answer("sendmsg", sendmsg(fd, &message, 0));
  answer("sendmmsg", sendmmsg(fd, several, 2, 0));
  printf("lengths %u %u\n", several[0].msg_len, several[1].msg_len);
  answer("writev", writev(fd, three, 3));
  answer_octets("echo", (long)recv_all(fd, back, 27), back);
  message.msg_name = PEER_SOCKADDR;
  message.msg_namelen = PEER_LENGTH;
  answer("sendmsg address", sendmsg(fd, &message, MSG_NOSIGNAL));
  answer_octets("echo", (long)recv_all(fd, back, 5), back);
  message.msg_iovlen = 0;
  answer("sendmsg none", sendmsg(fd, &message, 0));
  answer("writev none", writev(fd, three, 0));
  answer("sendmmsg none", sendmmsg(fd, several, 0, 0));
  answer_echo(fd, "end");
  return 0;
}
