/* A non-blocking connect that is refused: POLLOUT and POLLHUP, SO_ERROR once, then 0. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in nobody = refusing_address();
  int fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", connect(fd, (struct sockaddr*)&nobody, sizeof nobody));
  answer_poll("revents", await(fd, POLLOUT) & (POLLOUT | POLLHUP));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  answer_poll("revents", await(fd, POLLOUT) & (POLLOUT | POLLHUP));
  answer_peername(fd);
  return 0;
}
