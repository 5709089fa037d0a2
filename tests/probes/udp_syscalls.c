/* The calls of datagrams made by number through syscall(). */
#include "datagram.h"

#include <sys/syscall.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
  char text[32];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  answer("sendto", syscall(SYS_sendto, fd, "by number", 9L, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer_octets("recvfrom", syscall(SYS_recvfrom, fd, text, sizeof text, 0, &name, &length), text);
  printf("length %u it %d\n", length, same_address(&name, &peer_address));
  answer("connect", syscall(SYS_connect, fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("write", syscall(SYS_write, fd, "written", 7L));
  answer_octets("read", syscall(SYS_read, fd, text, sizeof text), text);
  struct iovec one = {"message", 7};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  answer("sendmsg", syscall(SYS_sendmsg, fd, &message, 0));
  one = (struct iovec){text, sizeof text};
  answer_octets("recvmsg", syscall(SYS_recvmsg, fd, &message, 0), text);
  length = sizeof name;
  answer("getpeername", syscall(SYS_getpeername, fd, &name, &length));
  answer("it", same_address(&name, &peer_address));
  return 0;
}
