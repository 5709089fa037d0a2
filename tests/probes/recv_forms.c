/* recv, recvfrom, recvmsg, recvmmsg, read, readv: octets, the address length 0 of TCP, the flags.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say abcdefghijklmnopqrstuvwxyz0123456789");
  char text[64], first[4], second[4], control[64];
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  struct iovec two[2] = {{first, 2}, {second, 3}};
  struct msghdr message = {.msg_iov = two,
                           .msg_iovlen = 2,
                           .msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_control = control,
                           .msg_controllen = sizeof control,
                           .msg_flags = -1};
  await_octets(fd, 36);
  answer_octets("recv", recv(fd, text, 3, 0), text);
  answer_octets("recvfrom", recvfrom(fd, text, 3, 0, (struct sockaddr*)&name, &length), text);
  printf("length %u\n", length);
  answer_octets("recvfrom none", recvfrom(fd, text, 3, 0, NULL, NULL), text);
  answer_octets("recvfrom no length", recvfrom(fd, text, 1, 0, NULL, &length), text);
  answer_octets("read", read(fd, text, 3), text);
  memset(first, '.', 4);
  memset(second, '.', 4);
  answer("readv", readv(fd, two, 2));
  printf("%.4s %.4s\n", first, second);
  answer("recvmsg", recvmsg(fd, &message, 0));
  printf("%.4s %.4s namelen %u controllen %zu flags %d\n", first, second, message.msg_namelen,
         message.msg_controllen, message.msg_flags);
  struct mmsghdr several[3];
  char texts[3][4];
  struct iovec each[3];
  memset(several, 0, sizeof several);
  for (int i = 0; i < 3; ++i) {
    each[i] = (struct iovec){texts[i], i == 2 ? 4 : 3};
    several[i].msg_hdr.msg_iov = &each[i];
    several[i].msg_hdr.msg_iovlen = 1;
  }
  answer("recvmmsg", recvmmsg(fd, several, 2, 0, NULL));
  printf("%.3s %u %.3s %u\n", texts[0], several[0].msg_len, texts[1], several[1].msg_len);
  answer("recvmmsg", recvmmsg(fd, several, 3, MSG_WAITFORONE, NULL));
  printf("%.3s %u %.3s %u %.1s %u\n", texts[0], several[0].msg_len, texts[1], several[1].msg_len,
         texts[2], several[2].msg_len);
  answer("recvmmsg", recvmmsg(fd, several, 3, MSG_DONTWAIT, NULL));
  return 0;
}
