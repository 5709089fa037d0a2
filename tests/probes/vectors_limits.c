/* IOV_MAX pieces go, one more is an error; a negative count and a sum beyond SSIZE_MAX too. */
#include "probe.h"

#include <limits.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static struct iovec many[1025];
  static char text[2048];
  volatile int negative = -1;
  int fd = peer("echo");
  for (int i = 0; i < 1025; ++i) many[i] = (struct iovec){text + i, 1};
  memset(text, 'a', sizeof text);
  struct msghdr message = {.msg_iov = many, .msg_iovlen = 1024};
  answer("writev", writev(fd, many, 1024));
  answer("writev more", writev(fd, many, 1025));
  answer("writev negative", writev(fd, many, negative));
  answer("sendmsg", sendmsg(fd, &message, 0));
  message.msg_iovlen = 1025;
  answer("sendmsg more", sendmsg(fd, &message, 0));
  await_octets(fd, 2048);
  answer("recvmsg more", recvmsg(fd, &message, 0));
  answer("readv", readv(fd, many, 1024));
  message.msg_iovlen = 1024;
  answer("recvmsg", recvmsg(fd, &message, 0));
  many[0].iov_len = many[1].iov_len = (size_t)SSIZE_MAX;
  answer("writev huge", writev(fd, many, 2));
  many[0].iov_len = (size_t)-1;
  answer("writev negative length", writev(fd, many, 1));
  answer("readv negative length", readv(fd, many, 1));
  answer_echo(fd, "hello");
  return 0;
}
