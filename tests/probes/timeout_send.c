/* SO_SNDTIMEO on a full socket: EAGAIN after the time; what was taken all arrives. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char block[100000];
  struct timeval limit = {0, 200000};
  char reply[64], key[64];
  size_t total = 0;
  uint32_t crc = 0;
  ssize_t n;
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "hold %s", key);
  answer("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
  do {
    fill_pattern(block, total, sizeof block);
    n = send(fd, block, sizeof block, 0);
    if (n < 0) break;
    crc = crc32_of(crc, block, (size_t)n);
    total += (size_t)n;
  } while (1);
  answer("send", n);
  peer_release(key);
  shutdown(fd, SHUT_WR);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, total, crc);
  return 0;
}
