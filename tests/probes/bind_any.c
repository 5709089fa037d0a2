/* A listener at any address, and one that was never bound: what getsockname says, and that the peer
 * gets there. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in any = {.sin_family = AF_INET};
  char host[INET_ADDRSTRLEN];
  for (int bound = 1; bound >= 0; --bound) {
    int listener = tcp_socket(0);
    if (bound) answer("bind", bind(listener, (struct sockaddr*)&any, sizeof any));
    answer("listen", listen(listener, 5));
    struct sockaddr_in at = name_of(listener);
    inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
    printf("%s port %d\n", host, at.sin_port != 0);
    answer_echo(accept_from("accept", listener, call(listener, "echo")), "hello");
  }
  return 0;
}
