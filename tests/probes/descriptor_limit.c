/* RLIMIT_NOFILE reached: EMFILE from socket and dup, and a connection at the last number works. */
#include "probe.h"

#include <sys/resource.h>

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct rlimit limit = {64, 64};
  int last = -1, fd, next;
  must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit) == 0);
  fd = tcp_socket(0);
  while ((next = dup(fd)) >= 0) last = next;
  answer("dup", next);
  printf("last %d\n", last);
  answer("socket", socket(AF_INET, SOCK_STREAM, 0));
  close(last);
  last = tcp_socket(0);
  printf("socket %d\n", last);
  answer("connect", connect(last, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(last, "echo");
  answer_echo(last, "hello");
  return 0;
}
