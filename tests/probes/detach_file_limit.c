/* RLIMIT_FSIZE of 0 beside a connection: a command gets it all the same, a child's too, and the
 * echo goes on. */
#include "probe.h"

#include <sys/resource.h>

static void use(int fd) {
  char command[64], octets[8];
  answer("system", system("exec /bin/cat </dev/null"));
  answer_echo(fd, "hello");
  snprintf(command, sizeof command, "printf more >&%d", fd);
  answer("system", system(command));
  answer_octets("recv", (long)recv_all(fd, octets, 4), octets);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  const struct rlimit none = {0, 0};
  int ours = peer("echo"), childs = peer("echo"), status;
  answer("setrlimit", setrlimit(RLIMIT_FSIZE, &none));
  answer_echo(childs, "before");
  pid_t child = probe_fork();
  if (child == 0) {
    close(ours);
    use(childs);
    exit(0);
  }
  waitpid(child, &status, 0);
  answer("child", status);
  use(ours);
  return 0;
}
