/* dup to a high number, dup3 to itself and with bad flags, F_DUPFD beyond the limit, dup2 beyond
 * it. */
#include "probe.h"

#include <sys/resource.h>
#include <sys/stat.h>

static void answer_flags(const char* what, int fd) {
  answer(what, fd);
  if (fd >= 0) answer("F_GETFD", fcntl(fd, F_GETFD));
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct rlimit limit;
  char name[64], link[64];
  int fd = peer("echo");
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 1000;
  must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit) == 0);
  answer("dup2 high", dup2(fd, 999));
  answer_echo(999, "high");
  answer("dup2 beyond", dup2(fd, 1000));
  answer("dup2 negative", dup2(fd, -1));
  answer("dup2 of none", dup2(700, 701));
  answer("dup2 itself", dup2(fd, fd) == fd);
  answer("dup3 itself", dup3(fd, fd, 0));
  answer("dup3 bad flags", dup3(fd, 500, O_NONBLOCK));
  answer("dup3 beyond", dup3(fd, 1000, O_CLOEXEC));
  answer_flags("dup3", dup3(fd, 500, O_CLOEXEC));
  answer("F_DUPFD beyond", fcntl(fd, F_DUPFD, 1000));
  answer("F_DUPFD negative", fcntl(fd, F_DUPFD, -1));
  answer_flags("F_DUPFD", fcntl(fd, F_DUPFD, 600));
  answer_flags("F_DUPFD", fcntl(fd, F_DUPFD, 600));
  answer_flags("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 600));
  answer("F_DUPFD full", fcntl(fd, F_DUPFD, 999));
  answer_echo(602, "hello");
  answer("close", close(999));
  answer("close again", close(999));
  answer("send", send(999, "x", 1, 0));
  answer("close beyond", close(100000));
  answer("close negative", close(-5));
  struct stat one, other;
  answer("fstat", fstat(fd, &one));
  answer("S_ISSOCK", S_ISSOCK(one.st_mode));
  answer("fstat copy", fstat(500, &other));
  answer("the same", one.st_ino == other.st_ino && one.st_dev == other.st_dev);
  int second = peer("echo");
  answer("fstat other", fstat(second, &other));
  answer("the same", one.st_ino == other.st_ino);
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, link, sizeof link - 1);
  link[n > 0 ? n : 0] = 0;
  snprintf(name, sizeof name, "socket:[%lu]", (unsigned long)one.st_ino);
  answer("link", strcmp(name, link) == 0);
  answer_echo(fd, "again");
  return 0;
}
