/* SIGCHLD is ignored: UDP, and octets that the kernel moves, all the same. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  must("signal", signal(SIGCHLD, SIG_IGN) != SIG_ERR);
  int fd = udp_socket(0), ends[2];
  char text[16];
  answer_datagram_echo(fd, "datagram");
  fd = peer("echo");
  must("pipe", pipe(ends) == 0 && write(ends[1], "moved", 5) == 5);
  answer("splice", splice(ends[0], NULL, fd, NULL, 5, 0));
  answer_octets("recv", recv(fd, text, 5, MSG_WAITALL), text);
  return 0;
}
