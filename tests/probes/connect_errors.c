/* connect with a bad family, a short or bad address, no descriptor, no socket. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_in address = peer_address;
  int ends[2], fd = tcp_socket(0);
  must("pipe", pipe(ends) == 0);
  answer("short", connect(fd, (struct sockaddr*)&address, 4));
  answer("one octet", connect(fd, (struct sockaddr*)&address, 1));
  answer("negative", connect(fd, (struct sockaddr*)&address, (socklen_t)-1));
  answer("bad pointer", connect(fd, (struct sockaddr*)8, sizeof address));
  address.sin_family = 77;
  answer("bad family", connect(fd, (struct sockaddr*)&address, sizeof address));
  address.sin_family = AF_UNIX;
  answer("other family", connect(fd, (struct sockaddr*)&address, sizeof address));
  address.sin_family = AF_UNSPEC;
  answer("no family", connect(fd, (struct sockaddr*)&address, sizeof address));
  answer("no descriptor", connect(-1, PEER_SOCKADDR, PEER_LENGTH));
  answer("closed descriptor", connect(900, PEER_SOCKADDR, PEER_LENGTH));
  answer("no socket", connect(ends[0], PEER_SOCKADDR, PEER_LENGTH));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
