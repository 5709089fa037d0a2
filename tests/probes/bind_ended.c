/* A listener that is shut down or dissolved: nobody gets in any more, getsockname still says where
 * it was; then listen again, and it accepts. */
#include "listener.h"

static void answer_refused(struct sockaddr_in at) {
  char words[64], reply[32], host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
  snprintf(words, sizeof words, "%s %d echo", host, ntohs(at.sin_port));
  for (int tries = 0; tries < 1000; ++tries) { /* the server hears of it a little later */
    peer_ask(reply, sizeof reply, "call", words);
    if (!*reply) break;
    usleep(10000);
  }
  printf("refused %d\n", !*reply);
}

static int dissolve(int fd) {
  struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  return connect(fd, &nowhere, sizeof nowhere);
}

static int shut_for_reading(int fd) { return shutdown(fd, SHUT_RD); }
static int shut(int fd) { return shutdown(fd, SHUT_RDWR); }

static int shut_by_a_child(int fd) {
  int status;
  pid_t child = probe_fork();
  if (child == 0) _exit(shutdown(fd, SHUT_RDWR) != 0);
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

static void listen_again(int listener) {
  struct timeval brief = {10, 0};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  answer("listen", listen(listener, 5));
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "again");
}

static void try(const char* what, int (*end)(int)) {
  int listener = listening(0), copy;
  struct sockaddr_in at = name_of(listener);
  answer(what, end(listener));
  answer("same name", name_of(listener).sin_port == at.sin_port);
  answer_refused(at);
  answer("accept", accept(listener, NULL, NULL));
  copy = dup(listener);
  close(listener);
  listen_again(copy);
  answer(what, end(copy));
  listen_again(copy);
  close(copy);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener;
  try("shutdown", shut);
  try("for reading", shut_for_reading);
  try("dissolved", dissolve);
  try("by a child", shut_by_a_child);
  listener = listening(0);
  answer("for writing", shutdown(listener, SHUT_WR));
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "still");
  listener = bound_socket(0); /* never listened */
  name_of(listener);
  answer("shutdown", shutdown(listener, SHUT_RDWR));
  answer("dissolved", dissolve(listener));
  listen_again(listener);
  return 0;
}
