/* The old way to wait: connect again and again until it says 0 or EISCONN. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_NONBLOCK), result;
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  while ((result = connect(fd, PEER_SOCKADDR, PEER_LENGTH)) < 0 && errno == EALREADY) usleep(1000);
  answer("connect at last", result);
  answer("connect after", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
