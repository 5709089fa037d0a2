/* Once a listener is closed nobody gets in where it was; and it can be had again. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0), held;
  struct sockaddr_in at = name_of(listener);
  char words[64], reply[32], host[INET_ADDRSTRLEN];
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "hello");
  at = name_of(listener);
  close(listener);
  inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
  snprintf(words, sizeof words, "%s %d echo", host, ntohs(at.sin_port));
  for (int tries = 0; tries < 5000; ++tries) { /* the server hears of it a little later */
    peer_ask(reply, sizeof reply, "call", words);
    if (!*reply) break;
    usleep(10000);
  }
  printf("refused %d\n", !*reply);
  held = listening(0);
  answer_echo(accept_from("accept", held, call(held, "echo")), "another");
  return 0;
}
