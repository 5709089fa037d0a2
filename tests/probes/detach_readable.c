/* What can be read stays so while the connection is passed on: no EAGAIN, and FIONREAD counts it.
 */
#include "probe.h"

static void pass_on(int fd) {
  int ends[2];
  char octet = 'x', control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec vector = {&octet, 1};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  struct cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  must("sendmsg", sendmsg(ends[0], &message, 0) == 1);
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  enum { kRounds = 20, kOctets = 30000 };
  static char text[kOctets];
  int whole = 0, counted = 0;
  probe_start(argc, argv);
  for (int i = 0; i < kRounds; ++i) {
    int available = 0, fd = peer("say hello-there");
    await_octets(fd, 11);
    if (i % 2) must("peek", recv(fd, text, 3, MSG_PEEK) == 3);
    pass_on(fd);
    must("FIONREAD", ioctl(fd, FIONREAD, &available) == 0);
    counted += available == 11;
    whole +=
        recv(fd, text, sizeof text, MSG_DONTWAIT) == 11 && memcmp(text, "hello-there", 11) == 0;
    close(fd);
  }
  answer("counted", counted);
  answer("whole", whole);
  int fd = peer("bulk 30000");
  must("recv", recv_all(fd, text, 10) == 10);
  pass_on(fd);
  must("recv", recv_all(fd, text + 10, kOctets - 10) == kOctets - 10);
  printf("bulk %08x\n", crc32_of(0, text, kOctets));
  return 0;
}
