/* A connection that others have used is dissolved and connected again: its names, and that a
 * program executed from vfork's child has the new one. */
#include "probe.h"

static in_port_t local_port(int fd) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  must("getsockname", getsockname(fd, (struct sockaddr*)&name, &length) == 0);
  return name.sin_port;
}

static void reconnect(int fd) {
  const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
  answer("dissolve", connect(fd, &nowhere, sizeof nowhere));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  if (argc > 3) {
    answer_echo(atoi(argv[3]), "from the program");
    return 0;
  }
  int status, fd = peer("echo");
  char number[16];
  answer("dup2", dup2(fd, 0));
  answer_echo(0, "standard");
  answer("close", close(0));
  reconnect(fd);
  answer_echo(fd, "again");
  answer_peername(fd);
  const in_port_t before = local_port(fd);
  answer("dup2", dup2(fd, 0));
  answer("same name", before == local_port(fd));
  answer("close", close(0));
  reconnect(fd);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  snprintf(number, sizeof number, "%d", fd);
  if (vfork() == 0) {
    fcntl(fd, F_SETFD, 0);
    execl("/proc/self/exe", argv[0], argv[1], argv[2], number, NULL);
    _exit(9);
  }
  wait(&status);
  answer("status", status);
  answer_echo(fd, "after");
  return 0;
}
