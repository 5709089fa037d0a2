/* Three processes have a connection, and one after the other lets go of it; the last to do so is
 * the one that was forked first, and has not used it. The peer gets every octet, and an end. */
#include "probe.h"

static char key[64];

static void expect_end(const char* octets, size_t count) {
  char reply[64];
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, count, crc32_of(0, octets, count));
}

/* The second child sends, or does not. */
static void run(const char* what, int sends) {
  int first[2], status;
  char octet;
  printf("%s\n", what);
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(first) == 0);
  pid_t middle = probe_fork();
  if (middle == 0) { /* the one that has the connection, and two children */
    int fd = peer_open();
    peer_script(fd, "half-close %s", key);
    send_all(fd, "one", 3);
    pid_t child = probe_fork();
    if (child == 0) {
      close(first[1]);
      if (read(first[0], &octet, 1) != 0) _exit(1); /* the others have gone */
      close(fd);
      expect_end(sends ? "onetwothree" : "onetwo", sends ? 11 : 6);
      _exit(0);
    }
    send_all(fd, "two", 3);
    pid_t second = probe_fork();
    if (second == 0) {
      if (sends) send_all(fd, "three", 5);
      _exit(0);
    }
    waitpid(second, &status, 0);
    close(fd);
    close(first[0]);
    close(first[1]);
    waitpid(child, &status, 0);
    _exit(WEXITSTATUS(status));
  }
  close(first[0]);
  close(first[1]);
  waitpid(middle, &status, 0);
  answer("status", status);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run("the second child sends", 1);
  run("the second child does not", 0);
  return 0;
}
