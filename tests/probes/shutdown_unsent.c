/* shutdown(SHUT_WR) with everything unsent: the peer gets every octet, then EOF, and its answer
 * comes back. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char reply[64], key[64];
  uint32_t crc;
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "hold %s", key);
  size_t total = send_until_full(fd, &crc);
  answer("shutdown", shutdown(fd, SHUT_WR));
  peer_release(key);
  reply[recv_all(fd, reply, sizeof reply - 1)] = 0;
  answer_arrived(reply, total, crc);
  return 0;
}
