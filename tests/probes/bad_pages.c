/* EFAULT, an error and not a crash, from pages that cannot be read or written; and no octet is
 * lost. */
#include "probe.h"

#include <sys/mman.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  char* none = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* readable = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int fd = peer("echo");
  struct iovec bad = {none, 5};
  struct msghdr message = {.msg_iov = &bad, .msg_iovlen = 1};
  answer("send", send(fd, none, 5, 0));
  answer("write", write(fd, none, 5));
  answer("sendmsg", sendmsg(fd, &message, 0));
  answer("sendmsg header", sendmsg(fd, (struct msghdr*)none, 0));
  answer("writev vector", writev(fd, (struct iovec*)none, 1));
  answer("send zeros", send(fd, readable, 3, 0));
  answer_octets("echo", (long)recv_all(fd, text, 3), text);
  send_all(fd, "hello", 5);
  await_octets(fd, 5);
  answer("recv", recv(fd, none, 5, 0));
  answer("read", read(fd, readable, 5));
  answer("peek", recv(fd, none, 5, MSG_PEEK));
  answer("recvmsg", recvmsg(fd, &message, 0));
  answer("FIONREAD", ioctl(fd, FIONREAD, none));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer_echo(fd, "again");
  return 0;
}
