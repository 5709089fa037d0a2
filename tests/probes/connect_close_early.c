/* A socket closed right after a non-blocking connect, and its number used again at once. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int good = 0;
  for (int i = 0; i < 20; ++i) {
    int fd = tcp_socket(SOCK_NONBLOCK);
    if (connect(fd, PEER_SOCKADDR, PEER_LENGTH) != -1 || errno != EINPROGRESS) puts("connect odd");
    if (close(fd) != 0) puts("close odd");
    int ends[2];
    must("pipe", pipe(ends) == 0);
    char text[4];
    good += write(ends[1], "abc", 3) == 3 && read(ends[0], text, 4) == 3;
    close(ends[0]);
    close(ends[1]);
  }
  answer("good", good);
  int fd = peer("echo");
  answer_echo(fd, "hello");
  return 0;
}
