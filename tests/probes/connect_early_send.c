/* A non-blocking socket that waits for writability with its first data, and reads the answer with
 * poll. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK);
  char text[16];
  ssize_t n;
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  while ((n = send(fd, "say hello\n", 10, 0)) < 0 && errno == EAGAIN) await(fd, POLLOUT);
  answer("send", n);
  answer_poll("revents", await(fd, POLLIN));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return 0;
}
