/* UDP_SEGMENT, as QUIC uses it: one call, several datagrams, each of which comes back by itself. */
#include "datagram.h"

#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[5000], back[5000];
  int fd = udp_connected(), size = 1200;
  fill_pattern(out, 0, sizeof out);
  for (size_t i = 0; i < sizeof out; ++i)
    if (out[i] == '#') out[i] = 0;
  if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) != 0) {
    puts("none here");
    return 0;
  }
  answer("send", send(fd, out, sizeof out, 0));
  for (size_t at = 0; at < sizeof out;) {
    long n = answer("recv", recv(fd, back, sizeof back, 0));
    if (n <= 0) break;
    answer("same", memcmp(out + at, back, (size_t)n) == 0);
    at += (size_t)n;
  }
  size = 0;
  answer("off", setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size));
  union {
    char octets[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
  } control;
  uint16_t segment = 700;
  struct iovec one = {out, 2000};
  struct msghdr message = {.msg_iov = &one,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  memcpy(CMSG_DATA(header), &segment, sizeof segment);
  answer("sendmsg", sendmsg(fd, &message, 0));
  for (int i = 0; i < 3; ++i) answer("recv", recv(fd, back, sizeof back, 0));
  return 0;
}
