/* posix_spawn with a duplicate of a socket that was asked for before the socket was connected. */
#include <spawn.h>

#include "probe.h"

int main(int argc, char** argv) {
  enum { kNumber = 17 };
  probe_start(argc, argv);
  if (argc > 3) {
    answer_echo(kNumber, "from the program");
    return 0;
  }
  posix_spawn_file_actions_t actions;
  char* arguments[] = {argv[0], argv[1], argv[2], "program", NULL};
  pid_t child;
  int status, fd = tcp_socket(SOCK_CLOEXEC);
  posix_spawn_file_actions_init(&actions);
  answer("adddup2", posix_spawn_file_actions_adddup2(&actions, fd, kNumber));
  answer("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH));
  peer_script(fd, "echo");
  fflush(stdout);
  int result = posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ);
  waitpid(child, &status, 0);
  answer("posix_spawn", result);
  answer("status", status);
  answer_echo(fd, "after");
  answer_peername(fd);
  return 0;
}
