/* What the parts of the stress program share: who draws what, how a failure is told, and streams
 * whose octets say where they belong. */
#ifndef STRESS_H
#define STRESS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- workers (stress.c) ---- */

struct worker {
  pthread_t thread;
  int index;
  uint64_t random;
  _Atomic(const char*) scenario;
  _Atomic(const char*) doing;
  _Atomic int64_t since; /* monotonic seconds */
};

extern _Thread_local struct worker* self;
extern struct sockaddr_in origin, refusing;
extern bool may_execute;
extern _Atomic uint64_t connections, octets, processes;

/* A number below `limit`, from the worker's seed. */
uint32_t draw(uint32_t limit);
/* What the watchdog and a failure will say. */
void doing(const char* what);
/* Says who failed at what, and ends the process with 1. */
_Noreturn void failed(const char* format, ...) __attribute__((format(printf, 1, 2)));
/* `failed` with errno unless `good`. */
void must(const char* what, bool good);
/* fork, with a hang guard of the child's own. */
pid_t fork_child(void);
/* The child has ended with 0. */
void await_child(pid_t child);
int set_flag(int fd, int flag, bool on);

/* ---- streams to the echo (stream.c) ---- */

struct stream {
  int fd;
  uint32_t key;
  uint64_t sent, got;
};

void stream_open(struct stream* stream);
void stream_open_blocking(struct stream* stream);
/* Sends so many octets and reads their echo, a window at a time, in whatever ways are drawn. */
void stream_move(struct stream* stream, size_t count);
/* The same without a window, in one event loop over a non-blocking socket. */
void stream_rush(struct stream* stream, size_t count);
/* Parts of it, for who has a thread for each. */
void stream_send(struct stream* stream, size_t count);
void stream_receive(struct stream* stream, size_t count);
/* For octets that travel otherwise. */
void stream_fill(const struct stream* stream, uint64_t from, void* octets, size_t count);
void stream_check(const struct stream* stream, uint64_t from, const void* octets, size_t count);
/* Ends it in one of the ways there are. */
void stream_end(struct stream* stream);
void stream_await(int fd, short events);

/* ---- scenarios ---- */

enum demand { kNothing, kPrograms, kThreadsInChild }; /* what not every build can do */

struct scenario {
  const char* name;
  void (*run)(void);
  enum demand demand;
};

/* Something that happens in the middle of another thread's transfers, or of one's own. */
void disturb(struct stream* stream);

extern const struct scenario thread_scenarios[], process_scenarios[];

/* The origin (echo.c), until it is ended by a signal. */
int serve_echo(void);
/* Idle connections while so many programs are executed (children.c). */
int execute_many(long count);

#endif
