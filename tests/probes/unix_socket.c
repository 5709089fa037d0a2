/* connect and accept over a named Unix socket. */
#include "probe.h"

#include <sys/un.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char text[16];
  int listening = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "probe-%s", fresh_key());
  answer("connect", connect(client, (struct sockaddr*)&name, sizeof name));
  answer("bind", bind(listening, (struct sockaddr*)&name, sizeof name));
  answer("listen", listen(listening, 1));
  answer("connect", connect(client, (struct sockaddr*)&name, sizeof name));
  int server = accept(listening, NULL, NULL);
  answer("send", send(client, "hello", 5, 0));
  answer_octets("recv", recv(server, text, 16, 0), text);
  answer("close", close(client));
  answer("recv", recv(server, text, 16, 0));
  return 0;
}
