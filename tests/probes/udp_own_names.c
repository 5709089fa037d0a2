/* getsockname and getpeername: fresh, after sendto, connected, bound, dissolved; short and bad
 * buffers. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in name, any = {.sin_family = AF_INET}, loopback = any;
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  socklen_t length = sizeof name;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = udp_socket(0);
  answer_sockname("fresh", fd);
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  say(fd, "hello");
  answer_from("echo", fd, &peer_address);
  answer("bind", bind(fd, (struct sockaddr*)&any, sizeof any));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  fd = udp_connected();
  answer_sockname("connected", fd);
  answer_peername(fd);
  length = 4;
  answer("short", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u\n", length);
  length = sizeof name;
  answer("no buffer", getpeername(fd, NULL, &length));
  answer("no length", getpeername(fd, (struct sockaddr*)&name, NULL));
  answer("unspec", connect(fd, &none, sizeof none));
  answer_sockname("dissolved", fd);
  fd = udp_socket(0);
  answer("bind", bind(fd, (struct sockaddr*)&loopback, sizeof loopback));
  answer_sockname("bound", fd);
  say(fd, "hello");
  answer_from("echo", fd, &peer_address);
  answer_sockname("still", fd);
  fd = udp_socket(0);
  answer("bind any", bind(fd, (struct sockaddr*)&any, sizeof any));
  answer_sockname("bound", fd);
  return 0;
}
