/* bind and listen where they cannot be: taken, twice, a bad family, no address of ours, connected,
 * and a port asked for by number. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0);
  struct sockaddr_in at = name_of(listener), bad = at;
  answer("again", bind(listener, (struct sockaddr*)&at, sizeof at));
  answer("listen again", listen(listener, 7));
  answer("short", bind(tcp_socket(0), (struct sockaddr*)&at, 4));
  bad.sin_family = AF_UNIX;
  answer("family", bind(tcp_socket(0), (struct sockaddr*)&bad, sizeof bad));
  bad = at;
  inet_pton(AF_INET, "192.0.2.1", &bad.sin_addr);
  answer("not ours", bind(tcp_socket(0), (struct sockaddr*)&bad, sizeof bad));
  int fd = peer("echo");
  answer("connected", bind(fd, (struct sockaddr*)&at, sizeof at));
  answer("listen connected", listen(fd, 1));
  answer_echo(fd, "hello");
  answer("listen nothing", listen(-1, 1));
  answer("connect a listener", connect(listener, PEER_SOCKADDR, PEER_LENGTH));
  answer_echo(accept_from("accept", listener, call(listener, "echo")), "still");
  return 0;
}
