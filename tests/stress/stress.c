/* stress HOST PORT SECONDS THREADS SEED [--no-exec]: threads that use connections to an echo in
 * every way there is, at random, and look at every octet.
 *
 * Ends with 0 and a line of figures when nothing was wrong and nothing is left: no descriptor, no
 * child, no growing memory. Else with 1 and what was wrong; 2 when nothing went on for minutes.
 *
 * stress echo: what it talks to.
 * stress children HOST PORT COUNT: executes so many programs beside an idle connection. */
#include "stress.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { kStuck = 150, kOwnDescriptors = 24, kLowest = 512 };

/* The sanitizers of GCC 12 do not survive threads in a child that was forked beside other threads:
 * there a lock of theirs may be held for ever. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { kChildrenMayThread = false };
#else
enum { kChildrenMayThread = true };
#endif

_Thread_local struct worker* self;
struct sockaddr_in origin, refusing;
bool may_execute = true;
_Atomic uint64_t connections, octets, processes;

static struct worker* workers;
static int worker_count;
static atomic_bool stopping, all_ended;
static _Atomic uint64_t rounds;

/* ---- what every part calls ---- */

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

uint32_t draw(uint32_t limit) { /* xorshift* */
  uint64_t x = self->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  self->random = x;
  return (uint32_t)(((x * 0x2545F4914F6CDD1Du) >> 32) % limit);
}

void doing(const char* what) {
  self->doing = what;
  self->since = now();
}

void failed(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int n = snprintf(text, sizeof text, "stress: process %d, worker %d, %s, %s: ", (int)getpid(),
                   self ? self->index : -1, self && self->scenario ? self->scenario : "",
                   self && self->doing ? self->doing : "");
  n += vsnprintf(text + n, sizeof text - (size_t)n - 1, format, arguments);
  if (n > (int)sizeof text - 2) n = sizeof text - 2;
  text[n++] = '\n';
  if (write(STDERR_FILENO, text, (size_t)n) < 0) _exit(3);
  _exit(1);
}

void must(const char* what, bool good) {
  const char* name = strerrorname_np(errno);
  if (!good) failed("%s: %s", what, name ? name : "?");
}

pid_t fork_child(void) {
  doing("forks");
  const pid_t child = fork();
  must("fork", child >= 0);
  if (child == 0) alarm(kStuck / 2);
  if (child > 0) ++processes;
  return child;
}

void await_child(pid_t child) {
  int status;
  pid_t ended;
  doing("waits for a child");
  while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  must("waitpid", ended == child);
  if (status != 0) failed("the child %d ended with status 0x%x", (int)child, status);
}

int set_flag(int fd, int flag, bool on) {
  const int flags = fcntl(fd, F_GETFL);
  return fcntl(fd, F_SETFL, on ? flags | flag : flags & ~flag);
}

/* ---- the threads ---- */

static void on_signal(int number) { (void)number; }

static size_t count_of(const struct scenario* scenarios) {
  size_t count = 0;
  while (scenarios[count].name != NULL) ++count;
  return count;
}

static void* work(void* argument) {
  self = argument;
  const uint32_t threads = (uint32_t)count_of(thread_scenarios);
  const char* const only = getenv("STRESS_ONLY"); /* for whoever hunts something */
  const uint32_t all = threads + (uint32_t)count_of(process_scenarios);
  while (!stopping) {
    const uint32_t n = draw(all);
    const struct scenario* scenario =
        n < threads ? &thread_scenarios[n] : &process_scenarios[n - threads];
    if ((scenario->demand == kPrograms && !may_execute) ||
        (scenario->demand == kThreadsInChild && !kChildrenMayThread) ||
        (only != NULL && strcmp(only, scenario->name) != 0))
      continue;
    self->scenario = scenario->name;
    scenario->run();
    ++rounds;
  }
  self->scenario = NULL;
  return NULL;
}

/* Signals to threads at random, of the kind that interrupts and of the kind that restarts. */
static void* disturb_with_signals(void* argument) {
  self = argument;
  while (!stopping) {
    const struct timespec pause = {0, 1000000 + draw(8000000)};
    nanosleep(&pause, NULL);
    pthread_kill(workers[draw((uint32_t)worker_count)].thread, draw(2) ? SIGUSR1 : SIGUSR2);
  }
  return NULL;
}

/* Says what all threads do when one of them does the same for minutes, and ends the process. */
static void* watch(void* unused) {
  while (!all_ended) {
    const struct timespec second = {0, 200000000};
    nanosleep(&second, NULL);
    for (int i = 0; i < worker_count; ++i) {
      if (workers[i].scenario == NULL || now() - workers[i].since < kStuck) continue;
      for (int k = 0; k < worker_count; ++k) {
        fprintf(stderr, "stress: worker %d: %s: %s, for %lld s\n", k,
                workers[k].scenario ? workers[k].scenario : "ended",
                workers[k].doing ? workers[k].doing : "", (long long)(now() - workers[k].since));
      }
      fprintf(stderr, "stress: HANG of worker %d\n", i);
      if (getenv("STRESS_HOLD") != NULL) pause(); /* for a debugger */
      _exit(2);
    }
  }
  return unused;
}

/* ---- what is left ---- */

struct left {
  int low, all;
  long resident; /* KB */
};

static struct left look(void) {
  struct left left = {0, 0, 0};
  DIR* listing = opendir("/proc/self/fd");
  must("/proc/self/fd", listing != NULL);
  const struct dirent* entry;
  while ((entry = readdir(listing)) != NULL) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(listing)) continue;
    ++left.all;
    if (fd < kLowest) ++left.low;
  }
  closedir(listing);
  char line[128];
  FILE* status = fopen("/proc/self/status", "re");
  must("/proc/self/status", status != NULL);
  while (fgets(line, sizeof line, status) != NULL) sscanf(line, "VmRSS: %ld", &left.resident);
  fclose(status);
  return left;
}

static void list_descriptors(void) {
  char path[32], target[256], sockets[] = "cat /proc/net/tcp >&2";
  for (int fd = 0; fd < 4 * kLowest; ++fd) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = 0;
    fprintf(stderr, "stress: %d: %s\n", fd, target);
  }
  if (system(sockets) != 0) fprintf(stderr, "stress: %s failed\n", sockets);
}

/* The shim finishes what was closed with octets to send in its own time: up to a minute. */
static struct left look_until_clean(const struct left* first) {
  struct left last;
  for (int i = 0; i < 600; ++i) {
    last = look();
    if (last.low == first->low && last.all <= first->all + kOwnDescriptors) break;
    nanosleep(&(struct timespec){0, 100000000}, NULL);
  }
  return last;
}

static void refuse_connections(void) {
  socklen_t length = sizeof refusing;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  refusing = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  must("bind", bind(fd, (struct sockaddr*)&refusing, sizeof refusing) == 0);
  must("getsockname", getsockname(fd, (struct sockaddr*)&refusing, &length) == 0);
}

static void set_origin(const char* host, const char* port) {
  origin = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  must("an address", inet_pton(AF_INET, host, &origin.sin_addr) == 1);
}

static int go_on(char** argv) {
  static struct worker worker = {.random = 77, .scenario = "go-on"};
  self = &worker;
  struct stream stream = {.fd = 0, .key = (uint32_t)strtoul(argv[2], NULL, 10)};
  stream.sent = stream.got = strtoull(argv[3], NULL, 10);
  alarm(kStuck / 2);
  stream_move(&stream, strtoul(argv[4], NULL, 10));
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "echo") == 0) return serve_echo();
  if (argc == 5 && strcmp(argv[1], "go-on") == 0) return go_on(argv);
  if (argc == 5 && strcmp(argv[1], "children") == 0) {
    static struct worker worker = {.random = 7, .scenario = "children"};
    self = &worker;
    set_origin(argv[2], argv[3]);
    return execute_many(strtol(argv[4], NULL, 10));
  }
  if (argc < 6)
    return fprintf(stderr, "usage: stress HOST PORT SECONDS THREADS SEED [--no-exec]\n"), 2;
  const long seconds = strtol(argv[3], NULL, 10);
  const uint64_t seed = strtoull(argv[5], NULL, 10);
  worker_count = (int)strtol(argv[4], NULL, 10);
  may_execute = argc < 7;
  set_origin(argv[1], argv[2]);
  signal(SIGPIPE, SIG_IGN);
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
  sigaction(SIGUSR2, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART}, NULL);
  fprintf(stderr, "stress: seed %llu\n", (unsigned long long)seed);

  struct worker main_worker = {.index = -1, .random = seed + 1};
  self = &main_worker;
  refuse_connections();
  const struct left first = look();
  workers = calloc((size_t)worker_count, sizeof *workers);
  for (int i = 0; i < worker_count; ++i) {
    workers[i].index = i;
    workers[i].random = (seed + 1) * 0x9E3779B97F4A7C15u + (uint64_t)(i + 1) * 0xBF58476D1CE4E5B9u;
    workers[i].since = now();
  }
  for (int i = 0; i < worker_count; ++i)
    pthread_create(&workers[i].thread, NULL, &work, &workers[i]);
  pthread_t watchdog, signaller;
  struct worker signals = {.index = -2, .random = seed + 2};
  pthread_create(&watchdog, NULL, &watch, NULL);
  pthread_create(&signaller, NULL, &disturb_with_signals, &signals);

  const int64_t start = now();
  struct left half = first;
  for (bool second_half = false; now() - start < seconds;) {
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    if (!second_half && now() - start >= (seconds + 1) / 2) half = look(), second_half = true;
  }
  stopping = true;
  pthread_join(signaller, NULL);
  for (int i = 0; i < worker_count; ++i) pthread_join(workers[i].thread, NULL);
  all_ended = true;
  pthread_join(watchdog, NULL);

  const struct left last = look_until_clean(&first);
  printf(
      "{\"seconds\": %lld, \"rounds\": %llu, \"connections\": %llu, \"octets\": %llu, "
      "\"processes\": %llu, "
      "\"descriptors\": [%d, %d, %d, %d], \"resident\": [%ld, %ld, %ld]}\n",
      (long long)(now() - start), (unsigned long long)rounds, (unsigned long long)connections,
      (unsigned long long)octets, (unsigned long long)processes, first.low, last.low, first.all,
      last.all, first.resident, half.resident, last.resident);
  fflush(stdout);
  if (getenv("STRESS_HOLD") != NULL) pause(); /* for a debugger */
  must("no child left", waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
  if (last.low != first.low || last.all > first.all + kOwnDescriptors) {
    list_descriptors();
    failed("descriptors are left");
  }
  if (seconds >= 60 && last.resident > half.resident + half.resident / 4 + 8192)
    failed("memory grows");
  free(workers);
  return 0;
}
