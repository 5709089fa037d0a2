/* SOCK_CLOEXEC, FD_CLOEXEC and the access mode survive connect; F_SETFD and FIOCLEX work. */
#include "probe.h"

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = tcp_socket(SOCK_CLOEXEC);
  answer("F_GETFD", fcntl(fd, F_GETFD));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  answer("F_GETFD", fcntl(fd, F_GETFD));
  answer("F_GETFL", fcntl(fd, F_GETFL));
  answer("F_SETFD", fcntl(fd, F_SETFD, 0));
  answer("F_GETFD", fcntl(fd, F_GETFD));
  answer("FIOCLEX", ioctl(fd, FIOCLEX));
  answer("F_GETFD", fcntl(fd, F_GETFD));
  answer("FIONCLEX", ioctl(fd, FIONCLEX));
  answer("F_GETFD", fcntl(fd, F_GETFD));
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
