/* dup, dup2 and F_DUPFD of a socket share it; closing one leaves the others; dup2 over a socket
 * ends it. */
#include "datagram.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = udp_socket(0), early = dup(fd);
  answer_datagram_echo(fd, "original");
  answer_datagram_echo(early, "taken before");
  int late = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 100);
  answer("F_DUPFD", high >= 100);
  say(fd, "#many 3");
  answer_from("dup", late, &peer_address);
  answer_from("high", high, &peer_address);
  answer_from("early", early, &peer_address);
  close(fd);
  answer_datagram_echo(late, "after close");
  close(late);
  close(early);
  answer_datagram_echo(high, "the last");
  int other = udp_connected(), pipe_ends[2];
  answer("dup2", dup2(other, high) == high);
  answer_peername(high);
  answer("send", send(high, "over", 4, 0));
  answer_datagram("recv", other);
  must("pipe", pipe(pipe_ends) == 0);
  answer("dup2 pipe", dup2(pipe_ends[0], other) == other);
  answer("no socket", send(other, "x", 1, 0));
  answer("send", send(high, "still", 5, 0));
  answer_datagram("recv", high);
  return 0;
}
