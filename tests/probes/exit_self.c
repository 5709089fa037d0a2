/* The probe itself returns from main right after a send; a child asks the peer what came. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static unsigned char octets[20000];
  char reply[64], key[64];
  int ends[2];
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  fill_pattern(octets, 0, sizeof octets);
  if (probe_fork() == 0) {
    close(ends[1]);
    if (read(ends[0], reply, 1) != 0) _exit(1); /* the parent has gone */
    peer_ask(reply, sizeof reply, "fetch", key);
    answer_arrived(reply, sizeof octets, crc32_of(0, octets, sizeof octets));
    return 0;
  }
  int fd = peer_open();
  peer_script(fd, "half-close %s", key);
  send_all(fd, octets, sizeof octets);
  return 7;
}
