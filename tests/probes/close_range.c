/* close_range over everything from 3 on; then the same numbers are plain pipes, and a new
 * connection works. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say hello"), other = peer("echo"), ends[2];
  char text[16];
  await(fd, POLLIN);
  answer("close_range", close_range(3, ~0U, 0));
  answer("recv", recv(fd, text, 16, 0));
  answer("send", send(other, "x", 1, MSG_NOSIGNAL));
  must("pipe", pipe(ends) == 0);
  printf("pipe %d %d\n", ends[0], ends[1]);
  answer("write", write(ends[1], "piped", 5));
  answer_octets("read", read(ends[0], text, 16), text);
  fd = tcp_socket(0);
  printf("socket %d\n", fd);
  answer_peername(fd);
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  answer("CLOSE_RANGE_CLOEXEC", close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
  answer("F_GETFD", fcntl(fd, F_GETFD));
  answer_echo(fd, "still");
  answer("close_range bad", close_range(9, 3, 0));
  return 0;
}
