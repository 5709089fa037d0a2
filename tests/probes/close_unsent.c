/* close of a socket with all that it could take still unsent: the peer gets every octet. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char reply[64], key[64];
  uint32_t crc;
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "stash %s", key);
  size_t total = send_until_full(fd, &crc);
  answer("much", total > 50000);
  answer("close", close(fd));
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, total, crc);
  return 0;
}
