/* A peer that was named in another family or length than the kernel's is told as the kernel has
 * it. */
#include "datagram.h"

static void answer_name(const char* what, const struct sockaddr_storage* name, socklen_t length) {
  printf("%s: family %d, %u octets:", what, name->ss_family, length);
  for (socklen_t i = 4; i < length && i < 28; ++i) printf(" %02x", ((const uint8_t*)name)[i]);
  printf("\n");
}

static void run(int family, const void* peer, socklen_t size) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  char text[16];
  int fd = socket(family, SOCK_DGRAM, 0);
  must("socket", fd >= 0);
  must("sendto", sendto(fd, "hello", 5, 0, peer, size) == 5);
  memset(&name, 0, sizeof name);
  must("recvfrom", recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length) == 5);
  answer_name("recvfrom", &name, length);
  answer("connect", connect(fd, peer, size));
  length = sizeof name;
  memset(&name, 0, sizeof name);
  must("getpeername", getpeername(fd, (struct sockaddr*)&name, &length) == 0);
  answer_name("getpeername", &name, length);
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in four = peer_address;
  memset(four.sin_zero, 'z', sizeof four.sin_zero);
  run(AF_INET, &four, sizeof four);
  run(AF_INET6, &four, sizeof four);
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6,
                                .sin6_port = peer_address.sin_port,
                                .sin6_flowinfo = htonl(0x12345),
                                .sin6_scope_id = 7};
  memcpy(mapped.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  memcpy(mapped.sin6_addr.s6_addr + 12, &peer_address.sin_addr, 4);
  run(AF_INET6, &mapped, sizeof mapped);
  run(AF_INET6, &mapped, 24);
  return 0;
}
