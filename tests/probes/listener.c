/* A listening socket, a connection to it from the same program, and the accepted end. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in own = {.sin_family = AF_INET};
  socklen_t length = sizeof own;
  int listening = tcp_socket(0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  answer("bind", bind(listening, (struct sockaddr*)&own, sizeof own));
  answer("listen", listen(listening, 5));
  answer("getsockname", getsockname(listening, (struct sockaddr*)&own, &length));
  int client = tcp_socket(0);
  answer("connect", connect(client, (struct sockaddr*)&own, sizeof own));
  int server = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
  char text[8];
  answer("accepted", server >= 0);
  answer("send", send(server, "hello", 5, 0));
  answer_octets("recv", recv(client, text, sizeof text, 0), text);
  answer("send", send(client, "world", 5, 0));
  answer_octets("recv", recv(server, text, sizeof text, 0), text);
  answer("close", close(server));
  answer("recv", recv(client, text, sizeof text, 0));
  return 0;
}
