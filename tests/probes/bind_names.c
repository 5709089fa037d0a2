/* getsockname and getpeername of the listener and of what was accepted; options of both. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0);
  struct sockaddr_in at, name = {0};
  socklen_t length = sizeof name;
  answer("getpeername", getpeername(listener, (struct sockaddr*)&name, &length));
  answer("SO_ACCEPTCONN", socket_option(listener, SOL_SOCKET, SO_ACCEPTCONN));
  answer("SO_ERROR", socket_option(listener, SOL_SOCKET, SO_ERROR));
  at = name_of(listener);
  int port = call(listener, "echo");
  int fd = accept_from("accept", listener, port);
  length = sizeof name;
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  printf("length %u port %d address %d\n", length, ntohs(name.sin_port) == port,
         name.sin_addr.s_addr == peer_address.sin_addr.s_addr);
  name = name_of(fd);
  printf("ours is what was announced %d\n",
         name.sin_port == at.sin_port && name.sin_addr.s_addr == at.sin_addr.s_addr);
  answer("SO_ACCEPTCONN", socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN));
  answer("SO_TYPE", socket_option(fd, SOL_SOCKET, SO_TYPE));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("recv on a listener", recv(listener, &name, sizeof name, 0));
  answer_echo(fd, "hello");
  return 0;
}
