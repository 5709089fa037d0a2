/* The same over ::1, where there is one. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in6 at = {.sin6_family = AF_INET6}, name = {0};
  socklen_t length = sizeof at;
  char host[INET6_ADDRSTRLEN], words[128], reply[32];
  int listener = socket(AF_INET6, SOCK_STREAM, 0);
  at.sin6_addr = in6addr_loopback;
  if (listener < 0 || bind(listener, (struct sockaddr*)&at, sizeof at) != 0) {
    puts("no IPv6 here");
    return 0;
  }
  answer("listen", listen(listener, 5));
  answer("getsockname", getsockname(listener, (struct sockaddr*)&at, &length));
  inet_ntop(AF_INET6, &at.sin6_addr, host, sizeof host);
  snprintf(words, sizeof words, "%s %d echo", host, ntohs(at.sin6_port));
  peer_ask(reply, sizeof reply, "call", words);
  length = sizeof name;
  int fd = accept(listener, (struct sockaddr*)&name, &length);
  printf("length %u port %d\n", length, ntohs(name.sin6_port) == atoi(reply));
  answer_echo(fd, "hello");
  return 0;
}
