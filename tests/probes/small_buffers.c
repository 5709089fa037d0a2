/* 64 KB comes whole and in time although SO_RCVBUF is as small as it gets. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char octets[1000];
  int fd = tcp_socket(0), size = 1;
  uint32_t crc = 0;
  long total = 0, n = 0;
  answer("SO_RCVBUF", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
  answer("SO_SNDBUF", setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "send 65536");
  while (await(fd, POLLIN) && (n = recv(fd, octets, sizeof octets, MSG_DONTWAIT)) > 0) {
    crc = crc32_of(crc, octets, (size_t)n);
    total += n;
  }
  answer("end", n);
  printf("total %ld crc %08x\n", total, crc);
  return 0;
}
