/* dup2 over another connection: the number speaks with the new peer, and the old connection ends.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char key[64], reply[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  int first = peer("echo"), second = peer_open();
  peer_script(second, "half-close %s", key);
  send_all(second, "farewell", 8);
  answer("dup2", dup2(first, second) - second);
  answer_echo(second, "hello");
  answer("close", close(first));
  answer_echo(second, "again");
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, 8, crc32_of(0, "farewell", 8));
  return 0;
}
