/* posix_spawn with the connection, which is close-on-exec, as the child's standard streams. */
#include <spawn.h>

#include "probe.h"

extern char** environ;

int main(int argc, char** argv) {
  probe_start(argc, argv);
  char text[64];
  int fd = peer("echo");
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  answer_echo(fd, "before");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  answer("adddup2", posix_spawn_file_actions_adddup2(&actions, fd, 0));
  answer("adddup2", posix_spawn_file_actions_adddup2(&actions, fd, 1));
  char* arguments[] = {"sh", "-c", "echo spawned; read line; echo got $line", NULL};
  pid_t child;
  int status;
  answer("posix_spawnp", posix_spawnp(&child, "sh", &actions, NULL, arguments, environ));
  posix_spawn_file_actions_destroy(&actions);
  waitpid(child, &status, 0);
  answer("status", status);
  await_octets(fd, 6);
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  answer("getfd", fcntl(fd, F_GETFD));
  answer_echo(fd, "after");
  return 0;
}
