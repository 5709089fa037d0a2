/* What atexit and at_quick_exit handlers send, registered before there was any connection, still
 * arrives, and they get the answer. */
#include "probe.h"

static int g_fd = -1;

static void say_goodbye(void) {
  char octet = 0;
  if (g_fd < 0) return;
  must("send", send(g_fd, "bye", 3, MSG_NOSIGNAL) == 3);
  must("recv", recv(g_fd, &octet, 1, MSG_WAITALL) == 1);
  printf("an answer: %c\n", octet);
  fflush(stdout);
}

static void run(const char* how) {
  int status;
  fflush(stdout);
  pid_t child = probe_fork();
  if (child == 0) {
    g_fd = peer_open();
    peer_script(g_fd, "acks 3");
    if (how[0] == 'e') exit(5);
    quick_exit(5);
  }
  waitpid(child, &status, 0);
  printf("%s status %x\n", how, status);
}

int main(int argc, char** argv) {
  must("atexit", atexit(say_goodbye) == 0);
  must("at_quick_exit", at_quick_exit(say_goodbye) == 0);
  probe_start(argc, argv);
  run("exit");
  run("quick_exit");
  return 0;
}
