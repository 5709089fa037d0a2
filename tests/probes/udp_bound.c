/* bind first, then send: the port is its own and stays; the peer sees one sender; bind twice, and
 * where one may not. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in own = {.sin_family = AF_INET}, name = {0}, elsewhere = own;
  socklen_t length = sizeof name;
  char text[128];
  int fd = udp_socket(0), second = udp_socket(0), on = 1;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  answer("bind", bind(fd, (struct sockaddr*)&own, sizeof own));
  getsockname(fd, (struct sockaddr*)&own, &length);
  answer("again", bind(fd, (struct sockaddr*)&own, sizeof own));
  snprintf(text, sizeof text, "#source %s", fresh_key());
  for (int i = 0; i < 3; ++i) {
    say(fd, text);
    answer_from("source", fd, &peer_address);
  }
  length = sizeof name;
  answer("getsockname", getsockname(fd, (struct sockaddr*)&name, &length));
  answer("same", same_address(&name, &own));
  answer("taken", bind(second, (struct sockaddr*)&own, sizeof own));
  answer("SO_REUSEADDR", setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  answer("taken still", bind(second, (struct sockaddr*)&own, sizeof own));
  inet_pton(AF_INET, "192.0.2.1", &elsewhere.sin_addr);
  answer("no address of ours", bind(udp_socket(0), (struct sockaddr*)&elsewhere, sizeof elsewhere));
  answer("short", bind(second, (struct sockaddr*)&own, 4));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  length = sizeof name;
  getsockname(fd, (struct sockaddr*)&name, &length);
  answer("same", same_address(&name, &own));
  answer("send", send(fd, "connected", 9, 0));
  answer_from("recvfrom", fd, &peer_address);
  return 0;
}
