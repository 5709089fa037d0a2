/* msg_name, msg_controllen and msg_flags after recvmsg; control data to sendmsg: nothing for TCP,
 * malformed, too much; addresses given to a connected socket. */
#include "probe.h"

static char text[64];
static union {
  struct cmsghdr header;
  char octets[256];
} control;

static void receive(const char* what, int fd, int flags) {
  struct sockaddr_storage name;
  struct iovec piece = {text, 2};
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_control = &control,
                           .msg_controllen = sizeof control,
                           .msg_flags = -1};
  answer_octets(what, recvmsg(fd, &message, flags), text);
  printf("namelen %u controllen %zu flags %#x\n", message.msg_namelen, message.msg_controllen,
         (unsigned)message.msg_flags);
}

static ssize_t with_control(int fd, int level, int type, size_t length, size_t space) {
  struct iovec piece = {(char*)"x", 1};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = space};
  memset(&control, 0, sizeof control);
  control.header = (struct cmsghdr){.cmsg_len = length, .cmsg_level = level, .cmsg_type = type};
  return sendmsg(fd, &message, 0);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say abcdefghijklmnopqrstuvwxyz");
  struct sockaddr_in elsewhere = peer_address;
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  await_octets(fd, 26);
  receive("recvmsg", fd, 0);
  receive("MSG_CMSG_CLOEXEC", fd, MSG_CMSG_CLOEXEC);
  receive("MSG_PEEK", fd, MSG_PEEK);
  receive("MSG_TRUNC", fd, MSG_TRUNC);
  receive("MSG_WAITALL", fd, MSG_WAITALL);
  receive("MSG_DONTWAIT", fd, MSG_DONTWAIT | MSG_NOSIGNAL);
  length = 0;
  answer_octets("recvfrom no room", recvfrom(fd, text, 2, 0, (struct sockaddr*)&name, &length),
                text);
  printf("length %u\n", length);
  answer("recvfrom bad length", recvfrom(fd, text, 2, 0, (struct sockaddr*)&name, (socklen_t*)8));
  length = (socklen_t)-5;
  answer("recvfrom negative length", recvfrom(fd, text, 2, 0, (struct sockaddr*)&name, &length));
  answer_octets("rest", recv(fd, text, sizeof text, MSG_DONTWAIT), text);
  close(fd);

  fd = peer("echo");
  answer("rights", with_control(fd, SOL_SOCKET, SCM_RIGHTS, CMSG_LEN(4), CMSG_SPACE(4)));
  answer("unknown", with_control(fd, SOL_SOCKET, 9999, CMSG_LEN(4), CMSG_SPACE(4)));
  answer("other level", with_control(fd, 9999, 1, CMSG_LEN(4), CMSG_SPACE(4)));
  answer("too long", with_control(fd, SOL_SOCKET, SCM_RIGHTS, 1000, CMSG_SPACE(4)));
  answer("too short", with_control(fd, SOL_SOCKET, SCM_RIGHTS, 2, CMSG_SPACE(4)));
  struct iovec piece = {(char*)"y", 1};
  struct msghdr message = {
      .msg_iov = &piece, .msg_iovlen = 1, .msg_control = (void*)8, .msg_controllen = 64};
  answer("bad control", sendmsg(fd, &message, 0));
  message.msg_controllen = (size_t)1 << 40;
  answer("huge control", sendmsg(fd, &message, 0));
  message =
      (struct msghdr){.msg_iov = &piece, .msg_iovlen = 1, .msg_name = (void*)8, .msg_namelen = 16};
  answer("bad name", sendmsg(fd, &message, 0));
  message.msg_name = &elsewhere;
  message.msg_namelen = 1000;
  answer("long name", sendmsg(fd, &message, 0));
  message.msg_namelen = (socklen_t)-1;
  answer("negative name", sendmsg(fd, &message, 0));
  elsewhere.sin_port = htons(9);
  answer("sendto elsewhere", sendto(fd, "z", 1, 0, (struct sockaddr*)&elsewhere, sizeof elsewhere));
  answer("sendto bad", sendto(fd, "z", 1, 0, (struct sockaddr*)8, sizeof elsewhere));
  answer("sendto long", sendto(fd, "z", 1, 0, (struct sockaddr*)&elsewhere, 1000));
  elsewhere.sin_family = AF_INET6;
  answer("sendto family", sendto(fd, "z", 1, 0, (struct sockaddr*)&elsewhere, sizeof elsewhere));
  shutdown(fd, SHUT_WR);
  size_t n = recv_all(fd, text, sizeof text);
  answer_octets("echo", (long)n, text);
  return 0;
}
