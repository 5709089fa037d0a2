/* The numbers an application sees: the next socket, pipe or file gets the lowest free one, before
 * and after connections. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int first = tcp_socket(0), numbers[8], n = 0;
  close(first);
  numbers[n++] = peer("echo");
  numbers[n++] = tcp_socket(SOCK_NONBLOCK);
  connect(numbers[1], PEER_SOCKADDR, PEER_LENGTH);
  await(numbers[1], POLLOUT);
  must("pipe", pipe(numbers + n) == 0);
  n += 2;
  numbers[n++] = open("/dev/null", O_RDWR);
  close(numbers[0]);
  numbers[n++] = open("/dev/null", O_RDWR);
  for (int i = 0; i < n; ++i) printf("number %d\n", numbers[i] - first);
  return 0;
}
