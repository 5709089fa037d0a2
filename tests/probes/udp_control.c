/* Control data that comes with datagrams: SO_TIMESTAMP, SO_TIMESTAMPNS, IP_RECVTTL, IP_PKTINFO,
 * SO_RXQ_OVFL; and IP_TTL, IP_PKTINFO that go with one. */
#include "datagram.h"

static void receive(int fd) {
  union {
    char octets[512];
    struct cmsghdr align;
  } control;
  char text[32];
  struct iovec one = {text, sizeof text};
  struct msghdr message = {.msg_iov = &one,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  answer_octets("recvmsg", recvmsg(fd, &message, 0), text);
  for (struct cmsghdr* at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
    printf("  level %d type %d length %zu\n", at->cmsg_level, at->cmsg_type, at->cmsg_len);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static const struct {
    int level, name;
  } kOptions[] = {{SOL_SOCKET, SO_TIMESTAMP},
                  {SOL_SOCKET, SO_TIMESTAMPNS},
                  {IPPROTO_IP, IP_RECVTTL},
                  {IPPROTO_IP, IP_RECVTOS},
                  {IPPROTO_IP, IP_PKTINFO}};
  for (size_t i = 0; i < sizeof kOptions / sizeof *kOptions; ++i) {
    int fd = udp_socket(0), on = 1;
    answer("set", setsockopt(fd, kOptions[i].level, kOptions[i].name, &on, sizeof on));
    say(fd, "hello");
    receive(fd);
  }
  union {
    char octets[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  int fd = udp_socket(0), ttl = 40;
  struct iovec one = {"with a TTL", 10};
  struct msghdr message = {.msg_name = &peer_address,
                           .msg_namelen = sizeof peer_address,
                           .msg_iov = &one,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_TTL;
  header->cmsg_len = CMSG_LEN(sizeof ttl);
  memcpy(CMSG_DATA(header), &ttl, sizeof ttl);
  answer("sendmsg", sendmsg(fd, &message, 0));
  answer_from("echo", fd, &peer_address);
  return 0;
}
