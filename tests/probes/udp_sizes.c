/* Datagrams of many sizes, there and back; beyond the largest EMSGSIZE. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static const int kSizes[] = {1,    2,     100,   1471,  1472,  1473, 4096,
                               9000, 16384, 32767, 50000, 65000, 65400};
  static unsigned char out[70000], back[70000];
  int fd = udp_connected();
  char text[64], expected[64];
  for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
    int size = kSizes[i];
    fill_pattern(out, 0, (size_t)size);
    if (out[0] == '#') out[0] = 0;
    answer("send", send(fd, out, (size_t)size, 0));
    long n = recv(fd, back, sizeof back, 0);
    answer(n == size && memcmp(out, back, (size_t)size) == 0 ? "same" : "not the same", n);
    snprintf(text, sizeof text, "#size %d", size);
    send(fd, text, strlen(text), 0);
    answer_pattern("back", back, recv(fd, back, sizeof back, 0));
  }
  memcpy(out, "#digest ", 8);
  send(fd, out, 65000, 0);
  snprintf(expected, sizeof expected, "65000 %08x", crc32_of(0, out, 65000));
  long n = recv(fd, text, sizeof text - 1, 0);
  text[n > 0 ? n : 0] = 0;
  puts(strcmp(text, expected) == 0 ? "digest right" : text);
  answer("too large", send(fd, out, LARGEST + 1, 0));
  answer("far too large", send(fd, out, sizeof out, 0));
  answer("to an address", sendto(fd, out, sizeof out, 0, PEER_SOCKADDR, PEER_LENGTH));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  send(fd, "end", 3, 0);
  answer_datagram("end", fd);
  return 0;
}
