/* Signals at a high rate, with a handler that does not restart calls: connect, and sends that are
 * not to wait, are not interrupted. */
#include <sys/time.h>

#include "datagram.h"

static void nothing(int number) { (void)number; }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  const struct sigaction action = {.sa_handler = nothing};
  const struct itimerval often = {{0, 150}, {0, 150}}, never = {{0, 0}, {0, 0}};
  int interrupted = 0;
  answer_datagram_echo(udp_connected(), "the server is known");
  must("sigaction", sigaction(SIGALRM, &action, NULL) == 0);
  must("setitimer", setitimer(ITIMER_REAL, &often, NULL) == 0);
  for (int i = 0; i < 100; ++i) {
    const int connected = udp_socket(SOCK_NONBLOCK), unconnected = udp_socket(SOCK_NONBLOCK);
    if (connect(connected, PEER_SOCKADDR, PEER_LENGTH) != 0 && errno == EINTR) ++interrupted;
    if (say(unconnected, "x") != 1 && errno == EINTR) ++interrupted;
    close(connected);
    close(unconnected);
  }
  must("setitimer", setitimer(ITIMER_REAL, &never, NULL) == 0);
  answer("interrupted", interrupted);
  return 0;
}
