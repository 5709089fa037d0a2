/* Half-closes of what was accepted: ours, and the peer still answers; the peer\x27s, and it still
 * has what we send. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0);
  char text[64], script[128], reply[64];
  int fd = accept_from("accept", listener, call(listener, "digest"));
  send_all(fd, "octets", 6);
  answer("SHUT_WR", shutdown(fd, SHUT_WR));
  size_t n = recv_all(fd, text, sizeof text);
  printf("%.*s\n", (int)n, text);
  const char* key = fresh_key();
  snprintf(script, sizeof script, "half-close %s", key);
  fd = accept_from("accept", listener, call(listener, script));
  answer("end", recv(fd, text, sizeof text, 0));
  answer("send", send(fd, "still", 5, 0));
  close(fd);
  peer_ask(reply, sizeof reply, "fetch", key);
  puts(reply);
  return 0;
}
