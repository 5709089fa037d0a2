/* A parent ends while its child begins to use the connection, as programs do that go into the
 * background: the child goes on with it. */
#include <sys/prctl.h>

#include "probe.h"

int main(int argc, char** argv) {
  enum { kRounds = 30, kEchoes = 5 };
  int good = 0;
  probe_start(argc, argv);
  must("prctl", prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  for (int i = 0; i < kRounds; ++i) {
    int told[2];
    char octets[4], well = 0;
    must("pipe", pipe(told) == 0);
    if (probe_fork() == 0) {
      int fd = peer("echo");
      if (fork() != 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (i % 3 == 0) execlp("true", "true", NULL);
        _exit(0);
      }
      int echoes = 0;
      while (echoes < kEchoes && send(fd, "echo", 4, MSG_NOSIGNAL) == 4 &&
             recv(fd, octets, 4, MSG_WAITALL) == 4) {
        ++echoes;
      }
      if (echoes == kEchoes) must("write", write(told[1], "y", 1) == 1);
      _exit(0);
    }
    close(told[1]);
    good += read(told[0], &well, 1) == 1;
    close(told[0]);
    while (wait(NULL) > 0) {
    }
  }
  answer("good", good);
  return 0;
}
