/* Five thousand datagrams of 1 to 1400 octets, twenty on their way at a time: each comes back
 * whole, in order. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char out[1500], back[1500];
  int fd = udp_connected(), sent = 0, seen = 0, wrong = 0;
  while (seen < 5000) {
    for (; sent < 5000 && sent - seen < 20; ++sent) {
      size_t size = 4 + (size_t)(sent * 7919 % 1400);
      fill_pattern(out, (size_t)sent, size);
      memcpy(out, &sent, sizeof sent);
      if (out[0] == '#') out[3] = 1, out[0] = 0;
      must("send", send(fd, out, size, 0) == (ssize_t)size);
    }
    size_t size = 4 + (size_t)(seen * 7919 % 1400);
    ssize_t n = recv(fd, back, sizeof back, 0);
    fill_pattern(out, (size_t)seen, size);
    memcpy(out, &seen, sizeof seen);
    if (out[0] == '#') out[3] = 1, out[0] = 0;
    wrong += n != (ssize_t)size || memcmp(out, back, size) != 0;
    ++seen;
  }
  answer("wrong", wrong);
  return 0;
}
