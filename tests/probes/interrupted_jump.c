/* A signal handler jumps out of a blocked recv, read, peek, poll or send: close ends the
 * connection, by that thread and by another, and the thread ends in order. Also from a signal
 * stack. */
#include "probe.h"

#include <setjmp.h>

enum { kRecv, kRead, kPeek, kPoll, kSend, kForms };
static const char* const names[] = {"recv", "read", "peek", "poll", "send"};

static __thread sigjmp_buf before;
static pthread_t jumper;

static void jump(int number) {
  (void)number;
  siglongjmp(before, 1);
}

static void block(int fd, int form) {
  static char octets[1000000];
  struct pollfd p = {.fd = fd, .events = POLLIN};
  if (form == kRecv) recv(fd, octets, 10, 0);
  if (form == kRead && read(fd, octets, 10) < 0) perror("read");
  if (form == kPeek) recv(fd, octets, 10, MSG_PEEK);
  if (form == kPoll) poll(&p, 1, -1);
  while (form == kSend && send(fd, octets, sizeof octets, 0) > 0) {
  }
  printf("%s has returned\n", names[form]);
}

/* Until the one signal comes, which comes while it blocks. */
static void jump_out(int fd, int form) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
  struct itimerspec once = {{0, 0}, {0, form == kSend ? 300000000 : 30000000}};
  event._sigev_un._tid = gettid();
  must("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  if (sigsetjmp(before, 1) == 0) {
    must("timer_settime", timer_settime(timer, 0, &once, NULL) == 0);
    block(fd, form);
  }
  timer_delete(timer);
}

struct work {
  int fd, form, times;
};

static void* jump_in_thread(void* argument) {
  const struct work* work = argument;
  for (int i = 0; i < work->times; ++i) jump_out(work->fd, work->form);
  pthread_exit(NULL);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static const char* const where[] = {"main", "a thread", "main from a signal stack"};
  char signal_stack[65536];  // among the frames of the thread itself
  const stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  const struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 3 * kForms; ++i) {
    char key[64], reply[64], text[16];
    const int form = i % kForms, in_thread = i / kForms == 1;
    struct work work = {peer_open(), form, form == kRecv ? 20 : 1};
    snprintf(key, sizeof key, "%s", fresh_key());
    peer_script(work.fd, "stash %s", key);
    if (i == 2 * kForms) sigaltstack(&stack, NULL);
    if (in_thread) {
      must("pthread_create", pthread_create(&jumper, NULL, &jump_in_thread, &work) == 0);
      pthread_join(jumper, NULL);
    } else {
      for (int j = 0; j < work.times; ++j) jump_out(work.fd, form);
    }
    if (form != kSend) answer("recv", recv(work.fd, text, 1, MSG_DONTWAIT));
    answer("close", close(work.fd));
    peer_release(key);
    peer_ask(reply, sizeof reply, "fetch", key);
    printf("%s in %s: %s\n", names[form], where[i / kForms], form == kSend ? "ended" : reply);
  }
  return 0;
}
