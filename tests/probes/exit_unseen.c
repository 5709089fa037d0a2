/* Programs that end, are replaced, or fail to be, with everything unsent: they have no child that
 * they did not make, neither by SIGCHLD nor by wait, and the next program has none either. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "probe.h"

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _exit(98);
}

static void on_child(int number) {
  (void)number;
  say("SIGCHLD\n");
}

static void* wait_for_any(void* unused) {
  (void)unused;
  while (wait(NULL) >= 0) say("waited for a child\n");
  return NULL;
}

/* A thread that waits in wait(), for a child that lives as long as this process. */
static void start_waiting(void) {
  pthread_t thread;
  char octet;
  int ends[2];
  must("pipe", pipe(ends) == 0);
  if (probe_fork() == 0) {
    close(ends[1]);
    _exit(read(ends[0], &octet, 1) == 0 ? 0 : 1);
  }
  must("pthread_create", pthread_create(&thread, NULL, wait_for_any, NULL) == 0);
}

static void execute_nonsense(void) {
  char path[] = "/tmp/exit_unseen.XXXXXX";
  const int file = mkstemp(path);
  must("mkstemp", file >= 0 && write(file, "\0nonsense", 9) == 9 && fchmod(file, 0755) == 0);
  close(file);
  const int result = execl(path, path, NULL);
  answer("exec", result);
  unlink(path);
}

static int next_program(void) {
  sigset_t pending;
  int status;
  sigpending(&pending);
  answer("pending", sigismember(&pending, SIGCHLD));
  answer("wait", waitpid(-1, &status, WNOHANG));
  return 0;
}

static void fill_and_end(char** argv, const char* how, const char* key) {
  uint32_t crc;
  const int fd = peer_open();
  peer_script(fd, "stash %s", key);
  must("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
  (void)send_until_full(fd, &crc);
  if (how[0] == 'e') exit(5);
  if (how[0] == '_') _exit(5);
  if (how[0] == 'q') quick_exit(5);
  if (how[0] == 'a') abort();
  if (how[0] == 'n') execl("/proc/self/exe", argv[0], argv[1], argv[2], "next", NULL);
  execute_nonsense();
  usleep(20000); /* what should not come could still */
  fflush(stdout);
  raise(SIGKILL);
}

static void run(char** argv, const char* how, const char* with) {
  static const struct rlimit none = {0, 0};
  char key[64];
  int status;
  snprintf(key, sizeof key, "%s", fresh_key());
  printf("%s, %s\n", how, with);
  const pid_t child = probe_fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &none);
    if (strcmp(with, "handler") == 0) signal(SIGCHLD, on_child);
    if (strcmp(with, "waiter") == 0) start_waiting();
    if (strcmp(with, "subreaper") == 0) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (strcmp(with, "blocked") == 0) {
      sigset_t some;
      sigemptyset(&some);
      sigaddset(&some, SIGCHLD);
      sigprocmask(SIG_BLOCK, &some, NULL);
    }
    fill_and_end(argv, how, key);
  }
  waitpid(child, &status, 0);
  printf("status %x\n", status);
  peer_release(key);
}

int main(int argc, char** argv) {
  static const char* const ends[] = {"exit", "_exit", "quick_exit", "abort",
                                     "fails to be replaced"};
  probe_start(argc, argv);
  if (argc > 3) return next_program();
  for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
    run(argv, ends[i], "handler");
    run(argv, ends[i], "waiter");
  }
  run(argv, "next program", "blocked");
  run(argv, "next program", "subreaper");
  return 0;
}
