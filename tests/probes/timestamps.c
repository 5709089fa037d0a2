/* SO_TIMESTAMP, SO_TIMESTAMPNS and TCP_INQ: the control data that recvmsg brings with octets. */
#include "probe.h"

#include <sys/time.h>

#ifndef TCP_INQ
#define TCP_INQ 36
#endif

static void receive(int fd, size_t room, int flags) {
  union {
    struct cmsghdr header;
    char octets[256];
  } control;
  char text[16];
  struct iovec piece = {text, 2};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = room};
  answer_octets("recvmsg", recvmsg(fd, &message, flags), text);
  printf("controllen %zu flags %d\n", message.msg_controllen, message.msg_flags);
  if (message.msg_controllen == 0) return;
  for (struct cmsghdr* at = CMSG_FIRSTHDR(&message); at != NULL; at = CMSG_NXTHDR(&message, at)) {
    printf("level %d type %d length %zu", at->cmsg_level, at->cmsg_type, (size_t)at->cmsg_len);
    long long seconds;
    int count;
    memcpy(&seconds, CMSG_DATA(at), sizeof seconds);
    memcpy(&count, CMSG_DATA(at), sizeof count);
    if (at->cmsg_level == SOL_SOCKET)
      printf(" %s\n", llabs(seconds - (long long)time(NULL)) < 1000 ? "now" : "some time");
    else
      printf(" %d\n", count);
  }
}

/* Does an octet's time come with it by now? */
static int timed(int fd) {
  char octet, control[256];
  struct iovec piece = {&octet, 1};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  send_all(fd, "t", 1);
  must("recvmsg", recvmsg(fd, &message, 0) == 1);
  return message.msg_controllen != 0;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16];
  int fd = tcp_socket(0), on = 1, off = 0;
  answer("TCP_INQ", setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof on));
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  peer_script(fd, "say abcdefghijklmnopqrstuvwxyz");
  await_octets(fd, 26);
  receive(fd, 256, 0);
  answer("TCP_INQ", setsockopt(fd, IPPROTO_TCP, TCP_INQ, &off, sizeof off));
  receive(fd, 256, 0);
  answer("SO_TIMESTAMP", setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
  close(fd);

  /* The kernel starts to take the time somewhat after it was asked to. */
  fd = tcp_socket(0);
  answer("SO_TIMESTAMP", setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  peer_script(fd, "echo");
  while (!timed(fd)) usleep(1000);
  send_all(fd, "abcdefgh", 8);
  await_octets(fd, 8);
  receive(fd, 256, 0);
  receive(fd, 256, MSG_PEEK);
  receive(fd, 256, 0);
  receive(fd, 0, 0);
  receive(fd, 20, 0);
  answer("SO_TIMESTAMPNS", setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on));
  send_all(fd, "ij", 2);
  receive(fd, 256, 0);
  answer("SO_TIMESTAMPNS", setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof off));
  send_all(fd, "kl", 2);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return 0;
}
