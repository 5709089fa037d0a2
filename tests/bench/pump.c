/* Both ends of what end_to_end.py measures. It prints medians in seconds.
 *
 *   pump serve ADDRESS                  says `listening on ADDRESS:PORT`; a thread for each connection
 *   pump down|up HOST PORT OCTETS       fetches or sends so much: from request to answer, and the processor time of it
 *   pump ping HOST PORT COUNT           one octet there and back, after some that do not count
 *   pump connect HOST PORT COUNT        connect(2), one after the other
 *   pump parallel HOST PORT COUNT       so many connects that do not block, until all are established
 *   pump hold ADDRESS                   says likewise; echoes, one octet at a time
 *   pump idle HOST PORT COUNT           as parallel; one octet there and back on each, and kept until standard input ends
 *
 * A request is `d`, `u` or `p` and a count in 16 hex digits. An upload is answered with one octet, a ping with itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kRequest = 17, kBuffer = 1 << 18, kWarmUp = 50, kBacklog = 4096, kStack = 1 << 16 };
static char buffer[kBuffer];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double seconds_of(struct timespec time) { return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return seconds_of(time);
}

/* Of all threads of this process: the shim's, too. */
static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return seconds_of(time);
}

static int compare(const void* one, const void* other) {
  const double a = *(const double*)one, b = *(const double*)other;
  return (a > b) - (a < b);
}

static double median(double* values, size_t count) {
  qsort(values, count, sizeof *values, &compare);
  return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int send_octets(int fd, uint64_t count) {
  while (count > 0) {
    const ssize_t sent = write(fd, buffer, count < kBuffer ? count : kBuffer);
    if (sent <= 0) return -1;
    count -= (uint64_t)sent;
  }
  return 0;
}

/* What comes is of no interest: connections share the room for it. */
static int receive_octets(int fd, char* room, uint64_t count) {
  while (count > 0) {
    const ssize_t received = read(fd, room, count < kBuffer ? count : kBuffer);
    if (received <= 0) return -1;
    count -= (uint64_t)received;
  }
  return 0;
}

static void echo(int fd) {
  char octet;
  while (read(fd, &octet, 1) == 1 && write(fd, &octet, 1) == 1) {
  }
}

static void* serve_one(void* argument) {
  const int fd = (int)(intptr_t)argument, on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char request[kRequest + 1] = {0};
  if (recv(fd, request, kRequest, MSG_WAITALL) == kRequest) {
    const uint64_t count = strtoull(request + 1, NULL, 16);
    char* const room = request[0] == 'u' ? malloc(kBuffer) : NULL;
    if (request[0] == 'p') echo(fd);
    if (request[0] == 'd') (void)send_octets(fd, count);
    if (room != NULL && receive_octets(fd, room, count) == 0) (void)send_octets(fd, 1);
    free(room);
  }
  close(fd);
  return NULL;
}

static struct sockaddr_in address_of(const char* host, const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    fprintf(stderr, "%s: no IPv4 address\n", host);
    exit(2);
  }
  return address;
}

static int listening(const char* host) {
  struct sockaddr_in address = address_of(host, "0");
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, kBacklog) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  printf("listening on %s:%d\n", host, ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

/* A thread for each of so many would be too much. */
static _Noreturn void hold(const char* host) {
  const int listener = listening(host), all = epoll_create1(0);
  for (int added = listener;;) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = added};
    if (added >= 0 && epoll_ctl(all, EPOLL_CTL_ADD, added, &event) != 0) die("epoll_ctl");
    if (epoll_wait(all, &event, 1, -1) != 1) die("epoll_wait");
    const int fd = event.data.fd;
    char octet;
    added = fd == listener ? accept(listener, NULL, NULL) : -1;
    if (fd == listener && added < 0) die("accept");
    if (fd != listener && (read(fd, &octet, 1) != 1 || write(fd, &octet, 1) != 1)) close(fd);
  }
}

static _Noreturn void serve(const char* host) {
  const int listener = listening(host);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, kStack);
  pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
  for (;;) {
    pthread_t thread;
    const int fd = accept(listener, NULL, NULL);
    if (fd < 0) die("accept");
    if (pthread_create(&thread, &small, &serve_one, (void*)(intptr_t)fd) != 0) close(fd);
  }
}

static int connected(const struct sockaddr_in* address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (connect(fd, (const struct sockaddr*)address, sizeof *address) != 0) die("connect");
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void ask(int fd, char what, uint64_t count) {
  char request[kRequest + 1];
  snprintf(request, sizeof request, "%c%016llx", what, (unsigned long long)count);
  if (write(fd, request, kRequest) != kRequest) die("request");
}

static void transfer(const struct sockaddr_in* address, char way, uint64_t count) {
  const int fd = connected(address);
  const double start = now(), processor = processor_time();
  ask(fd, way, count);
  const int failed = way == 'd' ? receive_octets(fd, buffer, count)
                                : send_octets(fd, count) != 0 || receive_octets(fd, buffer, 1) != 0;
  if (failed) die("transfer");
  printf("%.9f %.9f\n", now() - start, processor_time() - processor);
}

static void ping(const struct sockaddr_in* address, double* times, size_t count) {
  const int fd = connected(address);
  ask(fd, 'p', 0);
  for (size_t i = 0; i < kWarmUp + count; ++i) {
    const double start = now();
    char octet = 'x';
    if (write(fd, &octet, 1) != 1 || read(fd, &octet, 1) != 1) die("ping");
    if (i >= kWarmUp) times[i - kWarmUp] = now() - start;
  }
}

static void connect_often(const struct sockaddr_in* address, double* times, size_t count) {
  close(connected(address)); /* what is loaded and looked up once */
  for (size_t i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const double start = now();
    if (connect(fd, (const struct sockaddr*)address, sizeof *address) != 0) die("connect");
    times[i] = now() - start;
    close(fd);
  }
}

static double connect_at_once(const struct sockaddr_in* address, size_t count, int* descriptors) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct pollfd* const waits = calloc(count, sizeof *waits);
  close(connected(address));
  const double start = now();
  for (size_t i = 0; i < count; ++i) {
    waits[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    waits[i].events = POLLOUT;
    if (connect(waits[i].fd, (const struct sockaddr*)address, sizeof *address) != 0 && errno != EINPROGRESS)
      die("connect");
    if (descriptors != NULL) descriptors[i] = waits[i].fd;
  }
  for (size_t left = count; left != 0;) {
    if (poll(waits, count, -1) < 0) die("poll");
    for (size_t i = 0; i < count; ++i) {
      if (waits[i].fd < 0 || waits[i].revents == 0) continue;
      socklen_t size = sizeof errno;
      if (getsockopt(waits[i].fd, SOL_SOCKET, SO_ERROR, &errno, &size) != 0 || errno != 0) die("parallel connect");
      waits[i].fd = -1; /* stays open */
      --left;
    }
  }
  return now() - start;
}

static _Noreturn void idle(const struct sockaddr_in* address, size_t count) {
  int* const descriptors = calloc(count, sizeof *descriptors);
  const double seconds = connect_at_once(address, count, descriptors);
  char octet = 'x';
  for (size_t i = 0; i < count; ++i) {
    fcntl(descriptors[i], F_SETFL, 0);
    if (write(descriptors[i], &octet, 1) != 1) die("write");
  }
  for (size_t i = 0; i < count; ++i) {
    if (read(descriptors[i], &octet, 1) != 1) die("read");
  }
  printf("%.9f\n", seconds);
  fflush(stdout);
  exit(read(STDIN_FILENO, &octet, 1) < 0);
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0) serve(argv[2]);
  if (argc == 3 && strcmp(argv[1], "hold") == 0) hold(argv[2]);
  if (argc != 5) return 2;
  const struct sockaddr_in address = address_of(argv[2], argv[3]);
  const uint64_t count = strtoull(argv[4], NULL, 10);
  double* const times = calloc(count < 1000000 ? count : 1, sizeof *times);
  if (strcmp(argv[1], "idle") == 0) idle(&address, count);
  if (strcmp(argv[1], "down") == 0 || strcmp(argv[1], "up") == 0) {
    transfer(&address, argv[1][0], count);
  } else if (strcmp(argv[1], "parallel") == 0) {
    printf("%.9f\n", connect_at_once(&address, count, NULL));
  } else {
    (strcmp(argv[1], "ping") == 0 ? &ping : &connect_often)(&address, times, count);
    printf("%.9f\n", median(times, count));
  }
  return 0;
}
