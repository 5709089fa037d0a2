/* gethostbyname, gethostbyname2 and gethostbyname_r: the shape of the answer, a connect to it,
 * gethostbyaddr back, h_errno. */
#include "probe.h"

#include <netdb.h>

static void look(const char* what, const struct hostent* host) {
  struct sockaddr_in address = peer_address;
  if (!host) {
    printf("%s none\n", what);
    return;
  }
  /* How many there are is the machine's /etc/hosts alone. */
  printf("%s %s type %d length %d\n", what, host->h_name, host->h_addrtype, host->h_length);
  memcpy(&address.sin_addr, host->h_addr_list[0], 4);
  int fd = tcp_socket(0);
  answer("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct hostent space, *host = NULL;
  char octets[2048];
  int problem = -1;
  look("gethostbyname", gethostbyname("localhost"));
  look("gethostbyname numeric", gethostbyname("127.0.0.1"));
  look("gethostbyname2", gethostbyname2("localhost", AF_INET));
  answer("gethostbyname_r",
         gethostbyname_r("localhost", &space, octets, sizeof octets, &host, &problem));
  look("gethostbyname_r", host);
  answer("small", gethostbyname_r("localhost", &space, octets, 4, &host, &problem) == ERANGE);
  host = gethostbyname("localhost");
  struct in_addr address;
  memcpy(&address, host->h_addr_list[0], sizeof address);
  host = gethostbyaddr(&address, sizeof address, AF_INET);
  printf("gethostbyaddr %s\n", host ? host->h_name : "none");
  struct servent* service = getservbyname("http", "tcp");
  printf("http %d\n", service ? ntohs((uint16_t)service->s_port) : -1);
  return 0;
}
