/* An address length longer than the address is no error. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sockaddr_storage address;
  int fd = tcp_socket(0);
  memset(&address, 0, sizeof address);
  memcpy(&address, &peer_address, sizeof peer_address);
  answer("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
  answer_peername(fd);
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
