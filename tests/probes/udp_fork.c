/* After fork: the child alone uses the socket, both do by turns, and the child when the parent has
 * gone. */
#include "datagram.h"

static int finish(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), fresh = udp_socket(0), turns[2];
  char octet;
  answer_datagram_echo(fd, "before");
  pid_t child = probe_fork();
  if (child == 0) {
    answer_datagram_echo(fd, "in the child");
    answer_datagram_echo(fresh, "fresh, in the child");
    exit(5);
  }
  answer("child", finish(child));
  answer_datagram_echo(fd, "in the parent");
  answer_datagram_echo(fresh, "used by the child alone");
  must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, turns) == 0);
  child = probe_fork();
  if (child == 0) {
    for (int i = 0; i < 3; ++i) {
      must("turn", read(turns[1], &octet, 1) == 1);
      answer_datagram_echo(fd, "child's turn");
      must("turn", write(turns[1], "x", 1) == 1);
    }
    exit(6);
  }
  for (int i = 0; i < 3; ++i) {
    answer_datagram_echo(fd, "parent's turn");
    must("turn", write(turns[0], "x", 1) == 1);
    must("turn", read(turns[0], &octet, 1) == 1);
  }
  answer("child", finish(child));
  int ended[2];
  must("pipe", pipe(ended) == 0);
  child = probe_fork();
  if (child == 0) {
    if (probe_fork() == 0) {
      close(ended[1]);
      must("parent's end", read(ended[0], &octet, 1) == 0);
      answer_datagram_echo(fd, "grandchild");
      must("turn", write(turns[1], "x", 1) == 1);
      exit(0);
    }
    exit(7);
  }
  answer("child", finish(child));
  close(ended[1]);
  must("turn", read(turns[0], &octet, 1) == 1);
  answer_datagram_echo(fd, "the end");
  return 0;
}
