/* Closing with SO_LINGER 0 resets: the peer's read fails. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct linger at_once = {1, 0};
  char reply[64], key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "half-close %s", key);
  char octet;
  answer("recv", recv(fd, &octet, 1, 0));
  answer("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  answer("close", close(fd));
  peer_ask(reply, sizeof reply, "fetch", key);
  puts(strstr(reply, "reset") ? "reset" : "no reset");
  return 0;
}
