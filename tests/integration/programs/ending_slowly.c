/* The program ends while a thread of its "receives" or "sends" (ending_slowly HOST PORT LIBRARY
 * WHAT HOW): what ends that, the thread says. The library (-DLIBRARY) takes its time at the end:
 * until the thread is out of recv ("watches") or has ended ("joins"). */
#ifdef LIBRARY
#include <stddef.h>

void (*at_the_end)(void);

__attribute__((destructor)) static void end(void) {
  if (at_the_end != NULL) at_the_end();
}
#else
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_t thread;
static atomic_int thread_id;

/* The system call that the thread is in; -1: none, -2: it has ended. */
static int call_of_thread(void) {
  char path[64], call[256] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", thread_id);
  FILE* file = fopen(path, "re");
  if (file == NULL) return -2;
  const int ended = fgets(call, sizeof call, file) == NULL;
  fclose(file);
  return ended ? -2 : call[0] == 'r' ? -1 : atoi(call);
}

static void watch(void) {
  int same = 0, before = -1;
  while (before != -2 && (same < 20 || before == SYS_recvfrom)) {
    usleep(1000);
    const int call = call_of_thread();
    same = call >= 0 && call == before ? same + 1 : 0;
    before = call;
  }
}

static void join(void) { pthread_join(thread, NULL); }

static void* say(ssize_t result) {
  dprintf(1, "%zd %s\n", result, result < 0 ? strerrorname_np(errno) : "");
  return NULL;
}

static void* receive(void* argument) {
  char octet;
  thread_id = gettid();
  return say(recv(*(int*)argument, &octet, 1, 0));
}

static void* send_on(void* argument) {
  ssize_t sent;
  while ((sent = send(*(int*)argument, "x", 1, 0)) == 1) {
    thread_id = gettid();
    usleep(1000);
  }
  return say(sent);
}

int main(int argc, char** argv) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
  if (argc != 6 || getaddrinfo(argv[1], argv[2], &hints, &list) != 0) return 2;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, list->ai_addr, list->ai_addrlen) != 0) return 3;
  void* library = dlopen(argv[3], RTLD_NOW);
  if (library == NULL) return 4;
  void (**at_the_end)(void) = (void (**)(void))dlsym(library, "at_the_end");
  *at_the_end = strcmp(argv[5], "joins") == 0 ? &join : &watch;
  const int sends = strcmp(argv[4], "sends") == 0;
  if (pthread_create(&thread, NULL, sends ? &send_on : &receive, &fd) != 0) return 5;
  while (thread_id == 0 || (!sends && call_of_thread() != SYS_recvfrom)) usleep(1000);
  exit(0);
}
#endif
