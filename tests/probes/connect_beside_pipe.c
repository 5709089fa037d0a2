/* While a non-blocking connect is under way, poll and select still see another descriptor at once.
 */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int ends[2], fd = tcp_socket(SOCK_NONBLOCK);
  must("pipe", pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  struct pollfd both[3] = {
      {.fd = fd, .events = POLLIN}, {.fd = ends[0], .events = POLLIN}, {.fd = -1}};
  answer("poll", poll(both, 3, -1));
  answer_poll("socket", both[0].revents);
  answer_poll("pipe", both[1].revents);
  answer_poll("none", both[2].revents);
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  FD_SET(ends[0], &readable);
  int highest = fd > ends[0] ? fd : ends[0];
  answer("select", select(highest + 1, &readable, NULL, NULL, NULL));
  printf("socket %d pipe %d\n", FD_ISSET(fd, &readable) != 0, FD_ISSET(ends[0], &readable) != 0);
  answer_poll("revents", await(fd, POLLOUT));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
