/* poll with negative, closed and repeated descriptors, none, too many; select with the like; bad
 * timeouts. */
#include "probe.h"

#include <sys/resource.h>

static void show(const char* what, struct pollfd* set, int count, int result) {
  answer(what, result);
  for (int i = 0; i < count; ++i) answer_poll(" revents", set[i].revents);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int fd = peer("say hello"), ends[2];
  struct timespec bad = {0, 1000000000}, negative = {-1, 0}, none = {0, 0};
  struct timeval bad_time = {0, -1}, now = {0, 0};
  static struct pollfd many[2000];
  fd_set reads, writes, excepts;
  must("pipe", pipe(ends) == 0);
  await_octets(fd, 5);
  struct pollfd set[6] = {{.fd = -1, .events = POLLIN, .revents = 77},
                          {.fd = fd, .events = POLLIN},
                          {.fd = 900, .events = POLLIN},
                          {.fd = fd, .events = POLLOUT},
                          {.fd = fd, .events = 0},
                          {.fd = ends[0], .events = POLLIN}};
  show("poll", set, 6, poll(set, 6, -1));
  show("ppoll", set, 6, ppoll(set, 6, &none, NULL));
  answer("only negative", poll(set, 1, 0));
  answer("none", poll(NULL, 0, 0));
  answer("bad timeout", ppoll(set, 6, &bad, NULL));
  answer("negative timeout", ppoll(set, 6, &negative, NULL));
  struct rlimit limit = {1000, 1000};
  must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit) == 0);
  for (int i = 0; i < 2000; ++i) many[i].fd = i == 5 ? fd : -1;
  answer("too many", poll(many, 2000, 0));
  many[5].events = POLLIN;
  answer("many", poll(many, 999, 0));

  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_ZERO(&excepts);
  FD_SET(fd, &reads);
  FD_SET(fd, &writes);
  FD_SET(fd, &excepts);
  FD_SET(ends[0], &reads);
  answer("select", select(100, &reads, &writes, &excepts, NULL));
  printf("read %d write %d except %d pipe %d\n", FD_ISSET(fd, &reads), FD_ISSET(fd, &writes),
         FD_ISSET(fd, &excepts), FD_ISSET(ends[0], &reads));
  FD_ZERO(&reads);
  FD_SET(fd, &reads);
  answer("select not so far", select(fd, &reads, NULL, NULL, &now));
  printf("read %d\n", FD_ISSET(fd, &reads));
  FD_SET(fd, &reads);
  answer("select negative", select(-1, &reads, NULL, NULL, &now));
  answer("select bad time", select(100, &reads, NULL, NULL, &bad_time));
  answer("pselect bad time", pselect(100, &reads, NULL, NULL, &bad, NULL));
  int gone = dup(fd);
  close(gone);
  FD_SET(gone, &reads);
  answer("select closed", select(100, &reads, NULL, NULL, &now));
  answer("select bad set", select(100, (fd_set*)8, NULL, NULL, &now));
  answer("select none", select(0, NULL, NULL, NULL, &now));
  return 0;
}
