/* EFAULT, an error and not a crash, from buffers and vectors that are not there; and no octet is
 * lost. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char* volatile nowhere = (char*)8, text[16];
  volatile size_t five = 5;
  int fd = peer("echo");
  struct iovec bad = {nowhere, 5};
  struct msghdr message = {.msg_iov = &bad, .msg_iovlen = 1};
  answer("send", send(fd, nowhere, five, 0));
  answer("write", write(fd, nowhere, five));
  answer("writev", writev(fd, &bad, 1));
  answer("writev vector", writev(fd, (struct iovec*)nowhere, 1));
  answer("sendmsg", sendmsg(fd, &message, 0));
  answer("sendmsg header", sendmsg(fd, (struct msghdr*)nowhere, 0));
  send_all(fd, "hello", 5);
  await_octets(fd, 5);
  answer("recv", recv(fd, nowhere, five, 0));
  answer("read", read(fd, nowhere, five));
  answer("peek", recv(fd, nowhere, five, MSG_PEEK));
  answer("readv", readv(fd, &bad, 1));
  answer("readv vector", readv(fd, (struct iovec*)nowhere, 1));
  answer("recvmsg", recvmsg(fd, &message, 0));
  answer("recvmsg header", recvmsg(fd, (struct msghdr*)nowhere, 0));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("poll", poll((struct pollfd*)nowhere, 1, 0));
  answer_echo(fd, "again");
  return 0;
}
