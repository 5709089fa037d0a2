/* accept without a name, with a short one, accept4 with flags, and what cannot be accepted on. */
#include "listener.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int listener = listening(0), bound = bound_socket(0), fresh = tcp_socket(0);
  struct sockaddr_in name = {0};
  socklen_t length = 4;
  call(listener, "echo");
  int fd = accept(listener, NULL, NULL);
  answer_echo(fd, "no name");
  call(listener, "echo");
  fd = accept(listener, (struct sockaddr*)&name, &length);
  printf("length %u family %d\n", length, name.sin_family);
  answer_echo(fd, "short name");
  call(listener, "echo");
  fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  printf("O_NONBLOCK %d FD_CLOEXEC %d\n", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
         fcntl(fd, F_GETFD));
  answer_echo(fd, "with flags");
  answer("bound", accept(bound, NULL, NULL));
  answer("fresh", accept(fresh, NULL, NULL));
  answer("bad flag", accept4(listener, NULL, NULL, 1));
  answer("no descriptor", accept(-1, NULL, NULL));
  answer("no socket", accept(1, NULL, NULL));
  return 0;
}
