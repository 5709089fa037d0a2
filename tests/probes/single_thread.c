/* What only a process of one thread may do, after connections of both kinds:
 * unshare(CLONE_NEWUSER), if it may at all; one thread is what seccomp finds, too. */
#include "probe.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static long threads(void) {
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 ? (long)tasks.st_nlink - 2 : -1;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  int blocking = peer("echo"), fd = tcp_socket(SOCK_NONBLOCK);
  connect(fd, PEER_SOCKADDR, PEER_LENGTH);
  await(fd, POLLOUT);
  answer("seccomp", syscall(SYS_seccomp, 0xffff, 0, NULL));
  answer("threads", threads());
  int again = peer("echo");
  answer("prctl", prctl(PR_SET_SECCOMP, 0xffff, 0, 0, 0));
  answer("threads", threads());
  answer_echo(again, "again");
  close(peer("echo"));
  answer("unshare", unshare(CLONE_NEWUSER));
  answer("threads", threads());
  answer_echo(blocking, "hello");
  peer_script(fd, "echo");
  answer_echo(fd, "hello");
  return 0;
}
