/* The network calls made by number through syscall(). */
#include "probe.h"

#include <sys/syscall.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16], more[16];
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  struct iovec one = {"mno", 3}, two[2] = {{text, 2}, {more, 16}};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
  int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
  answer("connect", syscall(SYS_connect, fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("getpeername", syscall(SYS_getpeername, fd, &name, &length));
  answer("right", name.sin_port == peer_address.sin_port);
  answer("write", syscall(SYS_write, fd, "echo\n", (size_t)5));
  answer("sendto", syscall(SYS_sendto, fd, "hello", (size_t)5, 0, NULL, 0));
  await_octets(fd, 5);
  answer_octets("recvfrom", syscall(SYS_recvfrom, fd, text, (size_t)2, 0, NULL, NULL), text);
  answer_octets("peek", syscall(SYS_recvfrom, fd, text, (size_t)16, MSG_PEEK, NULL, NULL), text);
  answer_octets("read", syscall(SYS_read, fd, text, (size_t)16), text);
  answer("writev", syscall(SYS_writev, fd, &one, 1));
  answer("sendmsg", syscall(SYS_sendmsg, fd, &message, 0));
  await_octets(fd, 6);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  answer("poll", syscall(SYS_poll, &p, 1, -1));
  answer_poll("revents", p.revents);
  answer("readv", syscall(SYS_readv, fd, two, 1));
  message.msg_iov = two;
  message.msg_iovlen = 2;
  answer("recvmsg", syscall(SYS_recvmsg, fd, &message, 0));
  printf("%.2s %.2s\n", text, more);
  answer("EAGAIN", syscall(SYS_recvfrom, fd, text, (size_t)16, MSG_DONTWAIT, NULL, NULL));
  int there = -1;
  answer("ioctl", syscall(SYS_ioctl, fd, FIONREAD, &there));
  int other = (int)syscall(SYS_dup, fd);
  answer("dup", other - fd);
  answer("close", syscall(SYS_close, fd));
  answer_echo(other, "again");
  answer("fcntl", syscall(SYS_fcntl, other, F_GETFD));
  answer("shutdown", syscall(SYS_shutdown, other, SHUT_WR));
  answer("recvfrom", syscall(SYS_recvfrom, other, text, (size_t)16, 0, NULL, NULL));
  answer("close", syscall(SYS_close, other));
  answer("pid", syscall(SYS_getpid) == getpid());
  return 0;
}
