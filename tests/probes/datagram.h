/* What the probes of UDP share; what the peer answers is in udp_peer.py. */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include "probe.h"

#define LARGEST 65507 /* octets of one datagram of IPv4 */

static inline int udp_socket(int flags) {
  int fd = socket(AF_INET, SOCK_DGRAM | flags, 0);
  must("socket", fd >= 0);
  return fd;
}

/* Connected to the peer. */
static inline int udp_connected(void) {
  int fd = udp_socket(0);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  return fd;
}

static inline long say(int fd, const char* text) {
  return sendto(fd, text, strlen(text), 0, PEER_SOCKADDR, PEER_LENGTH);
}

static inline int same_address(const struct sockaddr_in* a, const struct sockaddr_in* b) {
  return a->sin_family == b->sin_family && a->sin_port == b->sin_port &&
         a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* The next datagram, and whether `from` sent it: "what 5 hello from peer". */
static inline long answer_from(const char* what, int fd, const struct sockaddr_in* from) {
  char text[256];
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  long n = recvfrom(fd, text, sizeof text, 0, (struct sockaddr*)&name, &length);
  answer_octets(what, n, text);
  if (n >= 0) printf("  length %u from %s\n", length, same_address(&name, from) ? "it" : "another");
  return n;
}

static inline long answer_datagram(const char* what, int fd) {
  char text[256];
  return answer_octets(what, recv(fd, text, sizeof text, 0), text);
}

/* A datagram to the peer, and its answer. */
static inline void answer_datagram_echo(int fd, const char* text) {
  must("sendto", say(fd, text) == (long)strlen(text));
  answer_from("echo", fd, &peer_address);
}

/* Up to `count` further addresses of the peer. */
static inline void peer_addresses(struct sockaddr_in* addresses, int count) {
  char script[32], reply[1024];
  snprintf(script, sizeof script, "%d", count);
  peer_ask(reply, sizeof reply, "udp-ports", script);
  char* at = reply;
  for (int i = 0; i < count; ++i) {
    addresses[i] = peer_address;
    addresses[i].sin_port = htons((uint16_t)strtol(at, &at, 10));
    must("udp-ports", addresses[i].sin_port != 0);
  }
}

/* A port of the peer's host that refuses datagrams. */
static inline struct sockaddr_in refusing_datagrams(void) {
  char reply[32];
  struct sockaddr_in address = peer_address;
  peer_ask(reply, sizeof reply, "udp-refuses", "");
  address.sin_port = htons((uint16_t)atoi(reply));
  must("udp-refuses", address.sin_port != 0);
  return address;
}

/* getsockname: whether there is an address, and a port. */
static inline void answer_sockname(const char* what, int fd) {
  struct sockaddr_in name = {0};
  socklen_t length = sizeof name;
  char host[INET_ADDRSTRLEN];
  if (answer(what, getsockname(fd, (struct sockaddr*)&name, &length)) != 0) return;
  inet_ntop(AF_INET, &name.sin_addr, host, sizeof host);
  printf("  %s port %s\n", host, name.sin_port ? "some" : "none");
}

/* The octets of one datagram, compared with the pattern behind `head`. */
static inline void answer_pattern(const char* what, const unsigned char* octets, long count) {
  for (long i = 0; i < count; ++i) {
    if (octets[i] == pattern((size_t)i)) continue;
    printf("%s wrong at %ld\n", what, i);
    return;
  }
  printf("%s %ld right\n", what, count);
}

#endif
