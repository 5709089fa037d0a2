/* getaddrinfo of numeric hosts and of no host: the exact addresses, types and order. */
#include "probe.h"

#include <netdb.h>

static void look(const char* host, const char* service, int family, int type, int flags) {
  struct addrinfo hints = {.ai_family = family, .ai_socktype = type, .ai_flags = flags},
                  *list = NULL;
  printf("%s %s %d %d %x: ", host ? host : "-", service ? service : "-", family, type, flags);
  int code = getaddrinfo(host, service, &hints, &list);
  printf("%d\n", code);
  if (code) return;
  for (struct addrinfo* one = list; one; one = one->ai_next) {
    char text[64], port[16];
    getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    printf("  %d %d %d %s %s %s\n", one->ai_family, one->ai_socktype, one->ai_protocol, text, port,
           one->ai_canonname ? one->ai_canonname : "-");
  }
  freeaddrinfo(list);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  look("127.0.0.1", "80", AF_UNSPEC, SOCK_STREAM, 0);
  look("127.0.0.1", "80", AF_UNSPEC, 0, 0);
  look("127.0.0.1", NULL, AF_INET, SOCK_STREAM, AI_NUMERICHOST | AI_CANONNAME);
  look("127.1", "80", AF_INET, SOCK_STREAM, 0);
  look("0x7f000001", "80", AF_INET, SOCK_DGRAM, AI_NUMERICSERV);
  look("::1", "80", AF_UNSPEC, SOCK_STREAM, 0);
  look("::1", "80", AF_INET, SOCK_STREAM, 0);
  look("fe80::1%lo", "80", AF_INET6, SOCK_STREAM, AI_NUMERICHOST);
  look("127.0.0.1", "80", AF_INET6, SOCK_STREAM, 0);
  look("127.0.0.1", "80", AF_INET6, SOCK_STREAM, AI_V4MAPPED);
  look(NULL, "80", AF_INET, SOCK_STREAM, AI_PASSIVE);
  look(NULL, "80", AF_INET, SOCK_STREAM, 0);
  look(NULL, "80", AF_INET6, SOCK_STREAM, AI_PASSIVE);
  look("192.0.2.200", "443", AF_UNSPEC, SOCK_STREAM, AI_NUMERICHOST);
  return 0;
}
