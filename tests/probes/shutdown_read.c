/* shutdown(SHUT_RD): reads are EOF at once, what came before is still there, sending goes on. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64], key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  answer("shutdown", shutdown(fd, SHUT_RD));
  answer_poll("revents", await(fd, POLLIN | POLLRDHUP));
  answer("recv", recv(fd, text, 16, 0));
  peer_script(fd, "half-close %s", key);
  send_all(fd, "hello", 5);
  close(fd);
  peer_ask(text, sizeof text, "fetch", key);
  answer_arrived(text, 5, crc32_of(0, "hello", 5));

  fd = peer("say hello");
  await_octets(fd, 5);
  answer("shutdown", shutdown(fd, SHUT_RD));
  answer_octets("recv", recv(fd, text, 16, 0), text);
  answer("recv", recv(fd, text, 16, 0));
  answer("shutdown bad", shutdown(fd, 7));
  return 0;
}
