/* What every probe shares: the peer, printing answers by name, the hang guard.
 *
 * A probe is run as `name HOST PORT` and prints what the kernel answered, one
 * fact per line, nothing that could differ between two runs (no address but
 * the peer's own, no time, no count of wake-ups). */
#ifndef PROBE_H
#define PROBE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char* peer_host;
static int peer_port;
static struct sockaddr_in peer_address;

static inline void hang_guard(int signal_number) {
  static const char message[] = "HANG\n";
  (void)signal_number;
  if (write(1, message, sizeof message - 1) < 0) _exit(98);
  _exit(99);
}

/* Call first. A probe that hangs says so and exits with 99. */
static inline void probe_start(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
    exit(2);
  }
  peer_host = argv[1];
  peer_port = atoi(argv[2]);
  memset(&peer_address, 0, sizeof peer_address);
  peer_address.sin_family = AF_INET;
  peer_address.sin_port = htons((uint16_t)peer_port);
  if (inet_pton(AF_INET, peer_host, &peer_address.sin_addr) != 1) exit(2);
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGALRM, hang_guard);
  alarm(60);
}

/* fork, with a hang guard of the child's own. */
static inline pid_t probe_fork(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) alarm(60);
  return child;
}

#define PEER_SOCKADDR ((struct sockaddr*)&peer_address)
#define PEER_LENGTH ((socklen_t)sizeof peer_address)

/* ---- printing ---- */

static inline const char* errno_name(int number) {
  const char* name = strerrorname_np(number);
  return number == 0 ? "0" : name ? name : "?";
}

/* "what 3", or "what -1 EAGAIN". Keeps errno. */
static inline long answer(const char* what, long value) {
  int saved = errno;
  if (value == -1)
    printf("%s -1 %s\n", what, errno_name(saved));
  else
    printf("%s %ld\n", what, value);
  errno = saved;
  return value;
}

/* "recv 5 hello", "recv 0", "recv -1 ECONNRESET". Keeps errno. */
static inline long answer_octets(const char* what, long value, const void* octets) {
  int saved = errno;
  if (value > 0) {
    const unsigned char* at = octets;
    printf("%s %ld ", what, value);
    for (long i = 0; i < value && i < 64; ++i) putchar(at[i] >= 32 && at[i] < 127 ? at[i] : '.');
    putchar('\n');
  } else {
    answer(what, value);
  }
  errno = saved;
  return value;
}

struct flag_name {
  unsigned value;
  const char* name;
};

static inline void print_flags(const char* what, unsigned value, const struct flag_name* names) {
  const char* between = " ";
  printf("%s", what);
  for (; names->name; ++names) {
    if (!(value & names->value)) continue;
    printf("%s%s", between, names->name);
    between = "|";
    value &= ~names->value;
  }
  if (value) printf("%s0x%x", between, value);
  puts(*between == ' ' && !value ? " none" : "");
}

static inline void answer_poll(const char* what, int value) {
  static const struct flag_name names[] = {{POLLIN, "POLLIN"},         {POLLPRI, "POLLPRI"},
                                           {POLLOUT, "POLLOUT"},       {POLLERR, "POLLERR"},
                                           {POLLHUP, "POLLHUP"},       {POLLNVAL, "POLLNVAL"},
                                           {POLLRDHUP, "POLLRDHUP"},   {POLLRDNORM, "POLLRDNORM"},
                                           {POLLWRNORM, "POLLWRNORM"}, {0, NULL}};
  print_flags(what, (unsigned short)value, names);
}

static inline void answer_epoll(const char* what, unsigned value) {
  static const struct flag_name names[] = {{EPOLLIN, "EPOLLIN"},
                                           {EPOLLPRI, "EPOLLPRI"},
                                           {EPOLLOUT, "EPOLLOUT"},
                                           {EPOLLERR, "EPOLLERR"},
                                           {EPOLLHUP, "EPOLLHUP"},
                                           {EPOLLRDHUP, "EPOLLRDHUP"},
                                           {0, NULL}};
  print_flags(what, value, names);
}

/* ---- the pattern and its digest, as in peer.py ---- */

static inline unsigned char pattern(size_t index) {
  size_t i = index % 65521;
  return (unsigned char)(i * 31 + (i >> 8) * 17);
}

static inline void fill_pattern(unsigned char* at, size_t from, size_t count) {
  for (size_t i = 0; i < count; ++i) at[i] = pattern(from + i);
}

/* CRC-32 as zlib's: start with 0, pass the last result on. */
static inline uint32_t crc32_of(uint32_t crc, const void* octets, size_t count) {
  static uint32_t table[256];
  const unsigned char* at = octets;
  if (!table[1]) {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      __atomic_store_n(&table[i], c, __ATOMIC_RELAXED);
    }
  }
  crc = ~crc;
  while (count--) crc = table[(crc ^ *at++) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

/* ---- the peer ---- */

static inline void must(const char* what, int good) {
  if (good) return;
  printf("%s failed: %s\n", what, errno_name(errno));
  exit(3);
}

static inline int tcp_socket(int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
  must("socket", fd >= 0);
  return fd;
}

static inline void send_all(int fd, const void* octets, size_t count) {
  const char* at = octets;
  while (count) {
    ssize_t n = send(fd, at, count, MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
      struct pollfd p = {.fd = fd, .events = POLLOUT};
      poll(&p, 1, -1);
      continue;
    }
    must("send", n >= 0);
    at += n;
    count -= (size_t)n;
  }
}

/* Names the script; the line goes out in one send. */
static inline void peer_script(int fd, const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  line[n] = '\n';
  send_all(fd, line, (size_t)n + 1);
}

/* A blocking socket connected to the peer, no script named yet. */
static inline int peer_open(void) {
  int fd = tcp_socket(0);
  must("connect", connect(fd, PEER_SOCKADDR, PEER_LENGTH) == 0);
  return fd;
}

static inline int peer(const char* script) {
  int fd = peer_open();
  peer_script(fd, "%s", script);
  return fd;
}

/* Waits for any of the events; what came. */
static inline int await(int fd, short events) {
  struct pollfd p = {.fd = fd, .events = events};
  while (poll(&p, 1, -1) < 0 && errno == EINTR) {
  }
  return p.revents;
}

/* Waits until that thread of ours has been in one and the same system call, not write, for 20 ms of
 * its own sleep. */
static inline void await_waiting(pid_t tid) {
  char path[64], before[256] = "", now[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)tid);
  for (int same = 0; same < 20; usleep(1000)) {
    FILE* file = fopen(path, "re");
    must("syscall", file != NULL && fgets(now, sizeof now, file) != NULL);
    fclose(file);
    const int call = now[0] == 'r' ? -1 : atoi(now); /* running: none */
    same = call >= 0 && call != SYS_write && strcmp(now, before) == 0 ? same + 1 : 0;
    strcpy(before, now);
  }
}

/* Waits until at least `count` octets can be read. */
static inline void await_octets(int fd, int count) {
  for (int there = 0; there < count;) {
    await(fd, POLLIN);
    must("FIONREAD", ioctl(fd, FIONREAD, &there) == 0);
    if (there < count) usleep(1000);
  }
}

/* Reads until `count` octets, EOF or an error; how many came. */
static inline size_t recv_all(int fd, void* octets, size_t count) {
  size_t have = 0;
  while (have < count) {
    ssize_t n = recv(fd, (char*)octets + have, count - have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      await(fd, POLLIN);
      continue;
    }
    if (n <= 0) break;
    have += (size_t)n;
  }
  return have;
}

/* Sends `text` to the echo and prints what comes back. */
static inline void answer_echo(int fd, const char* text) {
  char back[256];
  size_t length = strlen(text);
  send_all(fd, text, length);
  answer_octets("echo", (long)recv_all(fd, back, length), back);
}

/* A key of this run for hold, stash and on; never printed. */
static inline const char* fresh_key(void) {
  static char key[64];
  static int number;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  snprintf(key, sizeof key, "k%d-%ld-%d", (int)getpid(), (long)now.tv_nsec, ++number);
  return key;
}

/* One question to the peer on a connection of its own. */
static inline void peer_ask(char* reply, size_t size, const char* script, const char* key) {
  int fd = peer_open();
  peer_script(fd, "%s %s", script, key);
  size_t n = recv_all(fd, reply, size - 1);
  reply[n] = 0;
  close(fd);
}

static inline void peer_release(const char* key) {
  char reply[16];
  peer_ask(reply, sizeof reply, "release", key);
  must("release", strcmp(reply, "ok") == 0);
}

/* Prints "arrived all" if the peer's "N CRC" is ours. */
static inline void answer_arrived(const char* reply, size_t count, uint32_t crc) {
  char expected[64];
  snprintf(expected, sizeof expected, "%zu %08x", count, crc);
  if (strcmp(reply, expected) == 0)
    puts("arrived all");
  else
    printf("arrived %s of %s\n", reply, expected);
}

/* Non-blocking sends of the pattern until EAGAIN; the digest of what was taken. */
static inline size_t send_until_full(int fd, uint32_t* crc) {
  static unsigned char block[100000];
  size_t total = 0;
  *crc = 0;
  for (;;) {
    fill_pattern(block, total, sizeof block);
    ssize_t n = send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) break;
    *crc = crc32_of(*crc, block, (size_t)n);
    total += (size_t)n;
  }
  return total;
}

/* A loopback port that refuses: bound, so nobody else takes it, and not listening. */
static inline struct sockaddr_in refusing_address(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int fd = tcp_socket(SOCK_CLOEXEC);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must("bind", bind(fd, (struct sockaddr*)&address, sizeof address) == 0);
  must("getsockname", getsockname(fd, (struct sockaddr*)&address, &length) == 0);
  return address;
}

static inline int socket_option(int fd, int level, int name) {
  int value = -77;
  socklen_t length = sizeof value;
  if (getsockopt(fd, level, name, &value, &length) != 0) return -1;
  return value;
}

/* Whether the socket's peer is the scripted peer. */
static inline void answer_peername(int fd) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  memset(&name, 0, sizeof name);
  if (answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length)) == 0)
    printf("peer length %u %s\n", length,
           name.sin_family == AF_INET && name.sin_port == peer_address.sin_port &&
                   name.sin_addr.s_addr == peer_address.sin_addr.s_addr
               ? "right"
               : "wrong");
}

static inline void set_nonblocking(int fd, int on) {
  int flags = fcntl(fd, F_GETFL);
  must("F_SETFL", fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0);
}

/* Registers with data.u32 = `data`. */
static inline int epoll_change(int set, int operation, int fd, uint32_t events, uint32_t data) {
  struct epoll_event event = {.events = events, .data.u32 = data};
  return epoll_ctl(set, operation, fd, &event);
}

/* One epoll_wait for at most one event: "what EPOLLIN|EPOLLOUT data 7", "what none". */
static inline uint32_t answer_wait(const char* what, int set, int milliseconds) {
  struct epoll_event event = {0};
  char text[64];
  int n = epoll_wait(set, &event, 1, milliseconds);
  if (n < 0) {
    answer(what, n);
    return 0;
  }
  if (n == 0) {
    printf("%s nothing\n", what);
    return 0;
  }
  snprintf(text, sizeof text, "%s data %u", what, event.data.u32);
  answer_epoll(text, event.events);
  return event.events;
}

/* SIGUSR1 to this process every 10 ms until the end. */
static inline void start_ticks(void (*handler)(int), int flags) {
  struct sigaction action;
  struct sigevent event;
  struct itimerspec every = {{0, 10000000}, {0, 10000000}};
  timer_t timer;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(SIGUSR1, &action, NULL);
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR1;
  must("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  must("timer_settime", timer_settime(timer, 0, &every, NULL) == 0);
}

#endif
