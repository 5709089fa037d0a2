/* exec with everything unsent: the peer gets every octet, and the program has the signal mask of
 * the one before; also that one itself, if it cannot be replaced. */
#include <sys/stat.h>

#include "probe.h"

static void say_blocked(void) {
  sigset_t blocked;
  must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &blocked) == 0);
  for (int signal = 1; signal < 32; ++signal) {
    if (sigismember(&blocked, signal)) printf("%d is blocked\n", signal);
  }
}

static void execute_nonsense(void) {
  char path[] = "/tmp/exec_unsent.XXXXXX";
  const int file = mkstemp(path);
  must("mkstemp", file >= 0 && write(file, "\0nonsense", 9) == 9 && fchmod(file, 0755) == 0);
  close(file);
  const int result = execl(path, path, NULL);
  answer("exec", result);
  unlink(path);
}

static void run(const char* how) {
  char reply[64], key[64];
  int ends[2], status;
  struct {
    size_t total;
    uint32_t crc;
  } sent = {0, 0};
  snprintf(key, sizeof key, "%s", fresh_key());
  must("pipe", pipe(ends) == 0);
  pid_t child = probe_fork();
  if (child == 0) {
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    must("sigprocmask", sigprocmask(SIG_SETMASK, &some, NULL) == 0);
    const int fd = peer_open();
    peer_script(fd, "stash %s", key);
    must("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    sent.total = send_until_full(fd, &sent.crc);
    if (write(ends[1], &sent, sizeof sent) != sizeof sent) _exit(9);
    if (how[0] == 'p') execl("/bin/grep", "grep", "SigBlk", "/proc/self/status", NULL);
    execute_nonsense();
    say_blocked();
    fflush(stdout);
    _exit(5);
  }
  must("read", read(ends[0], &sent, sizeof sent) == sizeof sent);
  waitpid(child, &status, 0);
  printf("%s status %x\n", how, status);
  peer_release(key);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, sent.total, sent.crc);
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  run("program");
  run("nonsense");
  return 0;
}
