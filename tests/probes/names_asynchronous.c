/* getaddrinfo_a: waiting, not waiting, told by a thread and by a signal, gai_suspend, gai_error. */
#include "probe.h"

#include <netdb.h>
#include <semaphore.h>

static sem_t told;
static pthread_t notified;
static int notified_value;

static void tell(union sigval value) {
  notified = pthread_self();
  notified_value = value.sival_int;
  sem_post(&told);
}

static void results(struct gaicb** list, int count) {
  for (int i = 0; i < count; ++i) {
    printf("%s: %d", list[i]->ar_name, gai_error(list[i]));
    if (gai_error(list[i]) == 0) {
      char text[64];
      getnameinfo(list[i]->ar_result->ai_addr, list[i]->ar_result->ai_addrlen, text, sizeof text,
                  NULL, 0, NI_NUMERICHOST);
      printf(" %s", text);
      freeaddrinfo(list[i]->ar_result);
    }
    puts("");
  }
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  struct gaicb space[3], *list[3];
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_value.sival_int = 42};
  for (int i = 0; i < 3; ++i) list[i] = &space[i];
#define FILL()                                                               \
  do {                                                                       \
    space[0] = (struct gaicb){.ar_name = "192.0.2.9", .ar_request = &hints}; \
    space[1] = (struct gaicb){.ar_name = "localhost", .ar_request = &hints}; \
    space[2] = (struct gaicb){.ar_name = "a..b", .ar_request = &hints};      \
  } while (0)
  FILL();
  answer("wait", getaddrinfo_a(GAI_WAIT, list, 3, NULL));
  results(list, 3);
  FILL();
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  event.sigev_signo = SIGUSR1;
  answer("signal", getaddrinfo_a(GAI_NOWAIT, list, 3, &event));
  answer("which", sigwaitinfo(&set, &info) == SIGUSR1);
  answer("value", info.si_value.sival_int);
  answer("code", info.si_code);
  results(list, 3);
  FILL();
  sem_init(&told, 0, 0);
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = tell;
  event.sigev_notify_attributes = NULL;
  answer("thread", getaddrinfo_a(GAI_NOWAIT, list, 3, &event));
  while (sem_wait(&told) != 0) continue;
  answer("value", notified_value);
  answer("a thread of its own", !pthread_equal(notified, pthread_self()));
  results(list, 3);
  FILL();
  answer("no wait", getaddrinfo_a(GAI_NOWAIT, list, 3, NULL));
  while (gai_suspend((const struct gaicb* const*)list, 3, NULL) != EAI_ALLDONE) continue;
  const int cancelled = gai_cancel(list[0]); /* libc's thread may not have let go of it yet */
  answer("nothing to cancel", cancelled == EAI_ALLDONE || cancelled == EAI_NOTCANCELED);
  results(list, 3);
  answer("mode", getaddrinfo_a(7, list, 3, NULL));
  return 0;
}
