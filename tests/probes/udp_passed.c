/* A socket passed over a Unix socket (SCM_RIGHTS) to another process, which goes on with it. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  union {
    char octets[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  char octet = 'x';
  struct iovec one = {&octet, 1};
  struct msghdr message = {.msg_iov = &one,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  int pair[2], status;
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    must("recvmsg", recvmsg(pair[1], &message, 0) == 1);
    int fd;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    answer_peername(fd);
    answer("send", send(fd, "passed", 6, 0));
    answer_from("recvfrom", fd, &peer_address);
    exit(6);
  }
  int fd = udp_connected();
  send(fd, "hello", 5, 0);
  answer_datagram("recv", fd);
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  ssize_t n = sendmsg(pair[0], &message, 0);
  close(fd);
  waitpid(child, &status, 0);
  answer("sendmsg", n);
  printf("status %x\n", status);
  return 0;
}
