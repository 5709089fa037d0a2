/* sendmmsg to several destinations, recvmmsg with and without MSG_WAITFORONE, a timeout and
 * MSG_DONTWAIT. */
#include "datagram.h"

enum { kCount = 4 };

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in to[kCount], names[kCount];
  struct mmsghdr messages[kCount];
  struct iovec parts[kCount];
  char texts[kCount][16];
  int fd = udp_socket(0), seen = 0;
  peer_addresses(to, kCount);
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < kCount; ++i) {
    snprintf(texts[i], sizeof texts[i], "number %d", i);
    parts[i] = (struct iovec){texts[i], strlen(texts[i])};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &parts[i], .msg_iovlen = 1};
  }
  answer("sendmmsg", sendmmsg(fd, messages, kCount, 0));
  for (int i = 0; i < kCount; ++i) printf("%u ", messages[i].msg_len);
  puts("octets");
  for (int i = 0; i < kCount; ++i) {
    parts[i].iov_len = sizeof texts[i];
    messages[i].msg_hdr.msg_name = &names[i];
    messages[i].msg_len = 0;
  }
  answer("recvmmsg", recvmmsg(fd, messages, kCount, 0, NULL));
  for (int i = 0; i < kCount; ++i)
    for (int k = 0; k < kCount; ++k)
      seen += same_address(&names[i], &to[k]) && texts[i][7] == '0' + k && messages[i].msg_len == 8;
  answer("from whom they were sent to", seen);
  answer("none", recvmmsg(fd, messages, kCount, MSG_DONTWAIT, NULL));
  say(fd, "one");
  answer("wait for one", recvmmsg(fd, messages, kCount, MSG_WAITFORONE, NULL));
  say(fd, "#many 3");
  answer("three", recvmmsg(fd, messages, 3, 0, NULL));
  printf("%.*s %.*s %.*s\n", (int)messages[0].msg_len, texts[0], (int)messages[1].msg_len, texts[1],
         (int)messages[2].msg_len, texts[2]);
  struct timespec brief = {0, 1};
  say(fd, "late");
  answer("timeout", recvmmsg(fd, messages, kCount, 0, &brief));
  return 0;
}
