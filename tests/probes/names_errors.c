/* The EAI codes of getaddrinfo and getnameinfo, and their texts. */
#include "probe.h"

#include <netdb.h>

static void look(const char* host, const char* service, int family, int type, int protocol,
                 int flags) {
  struct addrinfo hints = {
      .ai_family = family, .ai_socktype = type, .ai_protocol = protocol, .ai_flags = flags};
  struct addrinfo* list = NULL;
  int code = getaddrinfo(host, service, &hints, &list);
  printf("%s %s: %d %s\n", host ? host : "-", service ? service : "-", code,
         code ? gai_strerror(code) : "fine");
  if (!code) freeaddrinfo(list);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in name = {.sin_family = AF_INET};
  char text[64];
  look(NULL, NULL, AF_INET, SOCK_STREAM, 0, 0);
  look("localhost", "80", 77, SOCK_STREAM, 0, 0);
  look("localhost", "80", AF_INET, 77, 0, 0);
  look("localhost", "80", AF_INET, SOCK_STREAM, IPPROTO_UDP, 0);
  look("localhost", "80", AF_INET, SOCK_STREAM, 0, 0x10000000);
  look("localhost", "80", AF_INET, SOCK_STREAM, 0, AI_NUMERICHOST);
  look("localhost", "no-such-service", AF_INET, SOCK_STREAM, 0, 0);
  look("localhost", "http", AF_INET, SOCK_STREAM, 0, AI_NUMERICSERV);
  look("localhost", "99999", AF_INET, SOCK_STREAM, 0, AI_NUMERICSERV);
  look(NULL, "80", AF_INET, SOCK_STREAM, 0, AI_CANONNAME);
  look("1.2.3.4.5.6", "80", AF_INET, SOCK_STREAM, 0, AI_NUMERICHOST);
  look("127.0.0.1", "80", AF_INET6, SOCK_STREAM, 0, AI_NUMERICHOST);
  inet_pton(AF_INET, "127.0.0.1", &name.sin_addr);
  name.sin_port = htons(80);
  answer("getnameinfo", getnameinfo((struct sockaddr*)&name, sizeof name, text, sizeof text, NULL,
                                    0, NI_NUMERICHOST));
  puts(text);
  answer("small",
         getnameinfo((struct sockaddr*)&name, sizeof name, text, 3, NULL, 0, NI_NUMERICHOST));
  answer("short",
         getnameinfo((struct sockaddr*)&name, 4, text, sizeof text, NULL, 0, NI_NUMERICHOST));
  answer("nothing", getnameinfo((struct sockaddr*)&name, sizeof name, NULL, 0, NULL, 0, 0));
  name.sin_family = 77;
  answer("family", getnameinfo((struct sockaddr*)&name, sizeof name, text, sizeof text, NULL, 0,
                               NI_NUMERICHOST));
  return 0;
}
