/* One port at several local addresses: each accepts; an address that has it is taken, and any
 * address too. With SO_REUSEADDR all are bound before one listens. */
#include "listener.h"

static int bind_at(const char* host, in_port_t port, int reuse) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = port};
  int fd = tcp_socket(0);
  inet_pton(AF_INET, host, &at.sin_addr);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  answer(host, bind(fd, (struct sockaddr*)&at, sizeof at));
  return fd;
}

static void answer_accept(int listener) {
  struct timeval brief = {10, 0};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
  answer("listen", listen(listener, 5));
  int fd = accept_from("accept", listener, call(listener, "echo"));
  answer_echo(fd, "here");
  close(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int one = listening(0);
  in_port_t port = name_of(one).sin_port;
  int two = bind_at("127.0.0.2", port, 0);
  answer_accept(two);
  bind_at("127.0.0.1", port, 0);
  bind_at("127.0.0.2", port, 0);
  bind_at("127.0.0.2", port, 1);
  bind_at("0.0.0.0", port, 0);
  int three = bind_at("127.0.0.3", port, 1), four = bind_at("127.0.0.4", port, 1);
  int another = bind_at("127.0.0.4", port, 1);
  answer_accept(three);
  answer_accept(four);
  answer("listen", listen(another, 1));
  answer_accept(one);
  answer_accept(two);
  close(three);
  answer_accept(bind_at("127.0.0.3", port, 1));
  return 0;
}
