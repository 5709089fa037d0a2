/* The peer ends its direction first: EOF and POLLRDHUP here, and what we then send still arrives.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64], key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  int fd = peer_open();
  peer_script(fd, "half-close %s", key);
  answer_poll("revents", await(fd, POLLIN | POLLRDHUP));
  answer("recv", recv(fd, text, 16, 0));
  answer_poll("revents", await(fd, POLLIN | POLLOUT | POLLRDHUP));
  answer("send", send(fd, "hello", 5, 0));
  answer("recv", recv(fd, text, 16, 0));
  answer("send", send(fd, "world", 5, 0));
  answer("shutdown", shutdown(fd, SHUT_WR));
  answer_poll("revents", await(fd, 0));
  peer_ask(text, sizeof text, "fetch", key);
  answer_arrived(text, 10, crc32_of(0, "helloworld", 10));
  return 0;
}
