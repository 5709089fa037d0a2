/* A signal handler uses a connection while its thread is in fork: what it sends arrives. Parent and
 * child have the signal mask that was before, also where several threads fork at once. */
#include "probe.h"

enum { kForks = 300, kThreads = 4, kForksOfThread = 25 };

static int fd;
static volatile sig_atomic_t runs;
static volatile sig_atomic_t raising;

static void on_signal(int number) {
  const int saved = errno;
  char octet;
  (void)number;
  if (write(fd, "x", 1) == 1) ++runs;
  (void)recv(fd, &octet, 1, MSG_DONTWAIT);
  errno = saved;
}

static void prepare(void) {
  if (raising) raise(SIGUSR1);
}

/* Has this thread nothing but `number` blocked, and can it be cancelled? */
static int is_own(int number) {
  sigset_t blocked;
  int state;
  pthread_sigmask(SIG_SETMASK, NULL, &blocked);
  for (int i = 1; i < 32; ++i) {
    if (sigismember(&blocked, i) != (i == number)) return 0;
  }
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
  return state == PTHREAD_CANCEL_ENABLE;
}

/* Forks `times` times with `number` blocked; how often it or what follows was not right. */
static long fork_often(int number, int times) {
  sigset_t some;
  long wrong = 0;
  sigemptyset(&some);
  sigaddset(&some, number);
  pthread_sigmask(SIG_SETMASK, &some, NULL);
  for (int i = 0; i < times; ++i) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0) _exit(is_own(number) ? 0 : 1);
    wrong += !is_own(number);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    wrong += status != 0;
  }
  return wrong;
}

static void* fork_in_thread(void* number) {
  return (void*)fork_often((int)(long)number, kForksOfThread);
}

int main(int argc, char** argv) {
  static const int numbers[kThreads] = {SIGUSR2, SIGHUP, SIGURG, SIGWINCH};
  pthread_t threads[kThreads];
  pthread_atfork(prepare, NULL, NULL); /* run after the handlers of whoever registers later */
  probe_start(argc, argv);
  char reply[64], key[64];
  snprintf(key, sizeof key, "%s", fresh_key());
  fd = peer_open();
  peer_script(fd, "half-close %s", key);
  start_ticks(on_signal, SA_RESTART);

  raising = 1;
  answer("wrong after a signal in fork", fork_often(SIGUSR2, 1));
  raising = 0;
  answer("ran", runs > 0);
  answer("wrong under signals", fork_often(SIGUSR2, kForks));
  for (int i = 0; i < kThreads; ++i) {
    must("pthread_create",
         pthread_create(&threads[i], NULL, fork_in_thread, (void*)(long)numbers[i]) == 0);
  }
  for (int i = 0; i < kThreads; ++i) {
    void* wrong;
    pthread_join(threads[i], &wrong);
    answer("wrong in a thread", (long)wrong);
  }

  signal(SIGUSR1, SIG_IGN);
  uint32_t crc = 0;
  for (int i = 0; i < runs; ++i) crc = crc32_of(crc, "x", 1);
  close(fd);
  peer_ask(reply, sizeof reply, "fetch", key);
  answer_arrived(reply, (size_t)runs, crc);
  return 0;
}
