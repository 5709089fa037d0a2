/* Options set before connect are still set after it. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_CLOEXEC), on = 1, idle = 33, size = 50000;
  struct timeval limit = {0, 500000};
  socklen_t length = sizeof limit;
  answer("TCP_NODELAY", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  answer("SO_KEEPALIVE", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
  answer("TCP_KEEPIDLE", setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle));
  answer("SO_SNDBUF", setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
  answer("SO_RCVBUF", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
  answer("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("TCP_NODELAY", socket_option(fd, IPPROTO_TCP, TCP_NODELAY));
  answer("SO_KEEPALIVE", socket_option(fd, SOL_SOCKET, SO_KEEPALIVE));
  answer("TCP_KEEPIDLE", socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE));
  answer("SO_SNDBUF", socket_option(fd, SOL_SOCKET, SO_SNDBUF));
  answer("SO_RCVBUF", socket_option(fd, SOL_SOCKET, SO_RCVBUF));
  answer("SO_RCVTIMEO", getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &length));
  printf("limit %ld %ld\n", (long)limit.tv_sec, (long)limit.tv_usec);
  answer("FD_CLOEXEC", fcntl(fd, F_GETFD));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
