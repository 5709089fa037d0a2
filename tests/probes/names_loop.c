/* The loop of every client: each address of a name until one connects, with null hints too. */
#include "probe.h"

#include <netdb.h>

static void run(const struct addrinfo* hints) {
  struct addrinfo* list = NULL;
  char port[16];
  int fd = -1;
  snprintf(port, sizeof port, "%d", peer_port);
  answer("getaddrinfo", getaddrinfo("localhost", port, hints, &list));
  for (struct addrinfo* one = list; one; one = one->ai_next) {
    if (one->ai_socktype != SOCK_STREAM) continue;
    fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) == 0) break;
    close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  answer("connected", fd >= 0);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  run(&hints);
  hints.ai_flags = AI_ADDRCONFIG | AI_V4MAPPED;
  run(&hints);
  run(NULL);
  return 0;
}
