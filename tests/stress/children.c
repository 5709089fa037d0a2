/* One program after the other beside an idle connection that each inherits: nothing is left of
 * them. */
#include <dirent.h>

#include "stress.h"

static int descriptors(void) {
  int count = 0;
  DIR* listing = opendir("/proc/self/fd");
  must("/proc/self/fd", listing != NULL);
  while (readdir(listing) != NULL) ++count;
  closedir(listing);
  return count;
}

static void execute(void) {
  char* argv[] = {"true", NULL};
  const pid_t child = fork_child();
  if (child == 0) {
    execv("/bin/true", argv);
    _exit(1);
  }
  await_child(child);
}

int execute_many(long count) {
  struct stream stream;
  stream_open_blocking(&stream);
  stream_move(&stream, 1000);
  execute();
  const int before = descriptors();
  for (long i = 1; i < count; ++i) execute();
  must("no more descriptors", descriptors() <= before);
  must("no child", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
  stream_move(&stream, 1000);
  printf("executed %ld\n", count);
  fflush(stdout);
  char octet; /* until whoever looks at the processes has seen them */
  while (read(STDIN_FILENO, &octet, 1) < 0 && errno == EINTR) {
  }
  must("shutdown", shutdown(stream.fd, SHUT_WR) == 0);
  must("the end", recv(stream.fd, &octet, 1, 0) == 0);
  close(stream.fd);
  printf("closed\n");
  fflush(stdout);
  while (read(STDIN_FILENO, &octet, 1) < 0 && errno == EINTR) {
  }
  return 0;
}
