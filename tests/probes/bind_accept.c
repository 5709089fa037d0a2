/* bind, listen, getsockname, accept: the peer connects to what was announced; its address, and an
 * echo. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = bound_socket(0);
  struct sockaddr_in before = name_of(listener), after;
  answer("port", before.sin_port != 0);
  answer("listen", listen(listener, 1));
  after = name_of(listener);
  answer("same",
         before.sin_port == after.sin_port && before.sin_addr.s_addr == after.sin_addr.s_addr);
  int port = call(listener, "echo");
  answer("called", port != 0);
  int fd = accept_from("accept", listener, port);
  answer_echo(fd, "hello");
  answer_echo(fd, "again");
  return 0;
}
