/* Parent and child each make connections of their own after the fork, blocking and not, with one
 * live before it. */
#include "probe.h"

static void use(const char* name) {
  int fd = tcp_socket(SOCK_NONBLOCK);
  connect(fd, PEER_SOCKADDR, PEER_LENGTH);
  answer_poll(name, await(fd, POLLOUT));
  peer_script(fd, "echo");
  answer_echo(fd, name);
  fd = peer("echo");
  answer_echo(fd, name);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int status;
  use("before");
  pid_t child = probe_fork();
  if (child == 0) {
    use("child");
    exit(6);
  }
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  use("parent");
  return 0;
}
