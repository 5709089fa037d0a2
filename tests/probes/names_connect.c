/* getaddrinfo of a name, connect to what it gives, getpeername the same address, getnameinfo back
 * to the name. */
#include "probe.h"

#include <netdb.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct addrinfo hints = {.ai_family = AF_INET,
                           .ai_socktype = SOCK_STREAM,
                           .ai_flags = AI_CANONNAME},
                  *list = NULL;
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  char port[16], host[64], service[16];
  snprintf(port, sizeof port, "%d", peer_port);
  answer("getaddrinfo", getaddrinfo("localhost", port, &hints, &list));
  /* How many there are is the machine's /etc/hosts alone. */
  printf("family %d type %d protocol %d length %u canonical %s\n", list->ai_family,
         list->ai_socktype, list->ai_protocol, list->ai_addrlen, list->ai_canonname);
  int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
  answer("connect", connect(fd, list->ai_addr, list->ai_addrlen));
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("same", memcmp(&name, list->ai_addr, sizeof name) == 0);
  answer("getnameinfo", getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, service,
                                    sizeof service, NI_NAMEREQD | NI_NUMERICSERV));
  printf("host %s port %d\n", host, atoi(service) == peer_port);
  freeaddrinfo(list);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
