/* SIGPIPE goes to the thread that writes: handled there, pending there where it is blocked; and
 * none comes for a write of which a part was taken. */
#include "probe.h"

static volatile sig_atomic_t signals;
static pthread_t main_thread, handled_in;
static int fd;

static void note(int number) {
  (void)number;
  ++signals;
  handled_in = pthread_self();
}

static void* writer(void* unused) {
  sigset_t pipe_only, pending;
  struct timespec now = {0, 0};
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
  answer("write", write(fd, "x", 1));
  printf("signals %d in this thread %d\n", (int)signals, pthread_equal(handled_in, pthread_self()));
  pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
  answer("write blocked", write(fd, "x", 1));
  sigpending(&pending);
  printf("signals %d pending %d\n", (int)signals, sigismember(&pending, SIGPIPE));
  answer("sigtimedwait", sigtimedwait(&pipe_only, NULL, &now) == SIGPIPE);
  answer("write without", send(fd, "x", 1, MSG_NOSIGNAL));
  sigpending(&pending);
  printf("pending %d\n", sigismember(&pending, SIGPIPE));
  answer("zero octets", send(fd, "", 0, 0));
  sigpending(&pending);
  printf("pending %d\n", sigismember(&pending, SIGPIPE));
  return unused;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct sigaction action = {.sa_handler = note};
  static char much[256 << 20]; /* more than all buffers on the way */
  sigset_t pipe_only;
  pthread_t thread;
  sigaction(SIGPIPE, &action, NULL);
  main_thread = pthread_self();
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
  fd = peer("discard");
  shutdown(fd, SHUT_WR);
  must("pthread_create", pthread_create(&thread, NULL, writer, NULL) == 0);
  pthread_join(thread, NULL);
  pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
  printf("signals %d\n", (int)signals);
  close(fd);

  signals = 0;
  fd = peer("reset-after");
  ssize_t n = write(fd, much, sizeof much);
  printf("part %d signals %d\n", n > 0 && n < (ssize_t)sizeof much, (int)signals);
  while (send(fd, "x", 1, MSG_NOSIGNAL) == 1) usleep(1000);
  answer("write", write(fd, "x", 1));
  printf("signals %d\n", (int)signals);
  return 0;
}
