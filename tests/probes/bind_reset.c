/* What has been reset before it is accepted still says whose it was, and gives what came before. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[16], script[64], key[64];
  int listener = listening(0);
  snprintf(key, sizeof key, "%s", fresh_key());
  snprintf(script, sizeof script, "say-reset hello %s", key);
  int port = call(listener, script);
  peer_ask(text, sizeof text, "fetch", key);
  answer_poll("poll", await(listener, POLLIN));
  int fd = accept_from("accept", listener, port);
  ssize_t n = 0, part;
  while (n < 5 && (part = recv(fd, text + n, 5 - (size_t)n, 0)) > 0) n += part;
  answer_octets("recv", n, text);
  answer("recv", recv(fd, text, sizeof text, 0));
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "another");
  return 0;
}
