/* getsockname through the life of a socket: fresh, bound, connected, dissolved; bind where it
 * cannot be; listen and accept on what is connected. */
#include "probe.h"

static void own(const char* what, int fd) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  char text[32];
  memset(&name, 0, sizeof name);
  answer(what, getsockname(fd, (struct sockaddr*)&name, &length));
  printf("family %d %s port %s length %u\n", name.sin_family,
         inet_ntop(AF_INET, &name.sin_addr, text, sizeof text), name.sin_port ? "some" : "0",
         length);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in local = {.sin_family = AF_INET}, nowhere = {.sin_family = AF_UNSPEC};
  struct sockaddr_in before, after;
  socklen_t length = sizeof before;
  int fd = tcp_socket(0), other = tcp_socket(0);
  own("fresh", fd);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  own("connected", fd);
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  answer("bind connected", bind(fd, (struct sockaddr*)&local, sizeof local));
  answer("listen connected", listen(fd, 1));
  answer("accept connected", accept(fd, NULL, NULL));
  answer("connect connected", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("dissolve", connect(fd, (struct sockaddr*)&nowhere, sizeof nowhere));
  answer("recv", recv(fd, &local, 1, 0));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("connect again", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "again");

  answer("bind", bind(other, (struct sockaddr*)&local, sizeof local));
  own("bound", other);
  must("getsockname", getsockname(other, (struct sockaddr*)&before, &length) == 0);
  answer("bind again", bind(other, (struct sockaddr*)&local, sizeof local));
  answer("connect", connect(other, PEER_SOCKADDR, PEER_LENGTH));
  must("getsockname", getsockname(other, (struct sockaddr*)&after, &length) == 0);
  answer("the same", memcmp(&before, &after, sizeof after) == 0);
  peer_script(other, "echo");
  answer_echo(other, "bound");
  close(other);

  other = tcp_socket(0);
  local.sin_addr.s_addr = htonl(0x08080808);
  answer("bind elsewhere", bind(other, (struct sockaddr*)&local, sizeof local));
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must("bind", bind(other, (struct sockaddr*)&local, sizeof local) == 0);
  answer("listen", listen(other, 1));
  answer("SO_ACCEPTCONN", socket_option(other, SOL_SOCKET, SO_ACCEPTCONN));
  answer("connect listening", connect(other, PEER_SOCKADDR, PEER_LENGTH));
  answer("recv listening", recv(other, &before, 1, 0));
  answer("send listening", send(other, "x", 1, MSG_NOSIGNAL));
  set_nonblocking(other, 1);
  answer("accept nothing", accept(other, NULL, NULL));
  answer("shutdown listening", shutdown(other, SHUT_RD));
  answer("shutdown bad", shutdown(fd, 7));
  return 0;
}
