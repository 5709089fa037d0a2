/* Names that cannot be: empty labels, labels and names that are too long; EAI codes and h_errno. */
#include "probe.h"

#include <netdb.h>

static void look(const char* what, const char* name) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
  struct hostent space, *host = &space;
  char octets[2048];
  int problem = -1;
  printf("%s: %d", what, getaddrinfo(name, "80", &hints, &list));
  hints.ai_family = AF_INET6;
  printf(" %d", getaddrinfo(name, "80", &hints, &list));
  printf(" gethostbyname %d", gethostbyname(name) != NULL);
  gethostbyname_r(name, &space, octets, sizeof octets, &host, &problem);
  printf(" gethostbyname_r %d\n", host != NULL);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char label[80], name[400];
  look("empty label", "a..b");
  look("empty first label", ".a");
  look("dot", ".");
  look("dots", "..");
  memset(label, 'a', 64);
  strcpy(label + 64, ".test");
  look("long label", label);
  memset(name, 'x', 300);
  name[300] = 0;
  look("long name", name);
  for (int i = 0; i < 5; ++i) memcpy(name + 60 * i, label + 5, 59), name[60 * i + 59] = '.';
  look("long name of short labels", name);
  look("four numbers and more", "1.2.3.4.5");
  return 0;
}
