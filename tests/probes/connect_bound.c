/* A socket bound before connect keeps its own port. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in own = {.sin_family = AF_INET}, name;
  socklen_t length = sizeof own;
  int fd = tcp_socket(0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  answer("bind", bind(fd, (struct sockaddr*)&own, sizeof own));
  answer("getsockname", getsockname(fd, (struct sockaddr*)&own, &length));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  length = sizeof name;
  answer("getsockname", getsockname(fd, (struct sockaddr*)&name, &length));
  printf("port %s address %s\n", name.sin_port == own.sin_port ? "same" : "other",
         name.sin_addr.s_addr == own.sin_addr.s_addr ? "same" : "other");
  answer("bind again", bind(fd, (struct sockaddr*)&own, sizeof own));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
