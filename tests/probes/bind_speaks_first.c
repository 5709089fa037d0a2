/* The peer speaks first, and ends: what it said is there when it is accepted later, then EOF. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0);
  char text[64];
  int fd = accept_from("accept", listener, call(listener, "send 20000"));
  static unsigned char octets[20001];
  size_t n = recv_all(fd, octets, sizeof octets);
  uint32_t crc = crc32_of(0, octets, n);
  fill_pattern(octets, 0, n);
  printf("%zu %s\n", n, crc == crc32_of(0, octets, n) ? "right" : "wrong");
  answer("end", recv(fd, text, sizeof text, 0));
  return 0;
}
