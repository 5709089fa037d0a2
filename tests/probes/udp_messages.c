/* sendmsg and recvmsg with several vectors, with and without a name; what recvmsg leaves in the
 * header. */
#include "datagram.h"

static void receive(const char* what, int fd, size_t room, int flags) {
  char first[4], second[4], control[64];
  struct sockaddr_in name = {0};
  struct iovec two[2] = {{first, room < 4 ? room : 4}, {second, room < 4 ? 0 : room - 4}};
  struct msghdr message = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = two,
                           .msg_iovlen = 2,
                           .msg_control = control,
                           .msg_controllen = sizeof control,
                           .msg_flags = -1};
  memset(first, '.', 4);
  memset(second, '.', 4);
  answer(what, recvmsg(fd, &message, flags));
  printf("  %.4s %.4s name %u right %d control %zu flags %x\n", first, second, message.msg_namelen,
         same_address(&name, &peer_address), message.msg_controllen, message.msg_flags);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0);
  struct iovec parts[4] = {{"ab", 2}, {"", 0}, {"cd", 2}, {"efg", 3}};
  struct msghdr message = {.msg_name = &peer_address,
                           .msg_namelen = sizeof peer_address,
                           .msg_iov = parts,
                           .msg_iovlen = 4};
  answer("sendmsg", sendmsg(fd, &message, 0));
  receive("recvmsg", fd, 8, 0);
  sendmsg(fd, &message, 0);
  receive("cut", fd, 3, 0);
  sendmsg(fd, &message, 0);
  receive("true length", fd, 5, MSG_TRUNC);
  message.msg_name = NULL;
  message.msg_namelen = 0;
  answer("no name", sendmsg(fd, &message, 0));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("sendmsg", sendmsg(fd, &message, 0));
  receive("connected", fd, 8, 0);
  message.msg_iovlen = 0;
  answer("nothing", sendmsg(fd, &message, 0));
  receive("empty", fd, 8, 0);
  return 0;
}
