/* O_NONBLOCK only for the connect: select, clear the flag, go on blocking (the common
 * connect-with-timeout). */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(0), error = -1;
  socklen_t length = sizeof error;
  fd_set writable;
  struct timeval limit = {50, 0};
  set_nonblocking(fd, 1);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  FD_ZERO(&writable);
  FD_SET(fd, &writable);
  answer("select", select(fd + 1, NULL, &writable, NULL, &limit));
  answer("getsockopt", getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
  printf("error %d length %u\n", error, length);
  set_nonblocking(fd, 0);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
