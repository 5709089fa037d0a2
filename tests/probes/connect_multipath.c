/* A socket of Multipath TCP, where the kernel has it: connect, an echo, and a child that uses it.
 */
#include "probe.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  if (fd < 0) fd = tcp_socket(0);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "before");
  answer_peername(fd);
  if (probe_fork() == 0) {
    answer_echo(fd, "in the child");
    _exit(0);
  }
  wait(NULL);
  answer_echo(fd, "after");
  return 0;
}
