/* A blocking connect: names before and after, the options that describe the socket, EISCONN, an
 * echo. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(0);
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  answer_peername(fd);
  answer("getsockname", getsockname(fd, (struct sockaddr*)&own, &length));
  printf("own family %d port %s\n", own.sin_family, own.sin_port ? "set" : "0");
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer_peername(fd);
  length = sizeof own;
  answer("getsockname", getsockname(fd, (struct sockaddr*)&own, &length));
  printf("own family %d length %u port %s\n", own.sin_family, length, own.sin_port ? "set" : "0");
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_TYPE", socket_option(fd, SOL_SOCKET, SO_TYPE));
  answer("SO_DOMAIN", socket_option(fd, SOL_SOCKET, SO_DOMAIN));
  answer("SO_PROTOCOL", socket_option(fd, SOL_SOCKET, SO_PROTOCOL));
  answer("SO_ACCEPTCONN", socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN));
  answer("connect again", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("listen", listen(fd, 1));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  answer("close", close(fd));
  answer("close again", close(fd));
  return 0;
}
