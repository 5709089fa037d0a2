/* What the probes of BIND share: run with --bind 1, a listener is the server's, and says where that
 * is. */
#ifndef LISTENER_H
#define LISTENER_H

#include "probe.h"

static inline struct sockaddr_in name_of(int fd) {
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  must("getsockname", getsockname(fd, (struct sockaddr*)&name, &length) == 0);
  return name;
}

/* Bound to a port of loopback, not listening yet. */
static inline int bound_socket(int flags) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  int fd = tcp_socket(flags);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must("bind", bind(fd, (struct sockaddr*)&at, sizeof at) == 0);
  return fd;
}

static inline int listening(int flags) {
  int fd = bound_socket(flags);
  must("listen", listen(fd, 5) == 0);
  return fd;
}

/* The peer connects to where `listener` says it is, and runs `script` there: the port that it does
 * so from, 0 if it cannot. */
static inline int call(int listener, const char* script) {
  struct sockaddr_in at = name_of(listener);
  char host[INET_ADDRSTRLEN], words[256], reply[32];
  inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
  snprintf(words, sizeof words, "%s %d %s", host, ntohs(at.sin_port), script);
  peer_ask(reply, sizeof reply, "call", words);
  return atoi(reply);
}

/* Accepts what the peer connects from `port`: "accept right". */
static inline int accept_from(const char* what, int listener, int port) {
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  int fd = accept(listener, (struct sockaddr*)&name, &length);
  if (fd < 0) {
    answer(what, fd);
    return fd;
  }
  printf("%s length %u %s\n", what, length,
         name.sin_family == AF_INET && name.sin_addr.s_addr == peer_address.sin_addr.s_addr &&
                 ntohs(name.sin_port) == port
             ? "right"
             : "wrong");
  return fd;
}

#endif
