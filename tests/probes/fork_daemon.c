/* A daemon: double fork, setsid, descriptors closed, then a connection. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("echo"), ends[2];
  char text[64];
  answer_echo(fd, "hello");
  must("pipe", pipe(ends) == 0);
  if (probe_fork() == 0) {
    setsid();
    if (probe_fork() != 0) _exit(0);
    dup2(ends[1], 100);
    close_range(0, 99, 0);
    close_range(101, ~0U, 0);
    int own = tcp_socket(0), good = own == 0;
    good += connect(own, PEER_SOCKADDR, PEER_LENGTH) == 0;
    good += write(own, "say hello\n", 10) == 10;
    ssize_t n = read(own, text, sizeof text);
    if (n > 0 && write(100, text, (size_t)n) == n && write(100, good == 3 ? "+" : "-", 1) == 1)
      _exit(0);
    _exit(1);
  }
  waitpid(-1, NULL, 0);
  close(ends[1]);
  size_t have = 0;
  ssize_t n;
  while ((n = read(ends[0], text + have, sizeof text - have)) > 0) have += (size_t)n;
  answer_octets("daemon", (long)have, text);
  answer_echo(fd, "parent");
  return 0;
}
