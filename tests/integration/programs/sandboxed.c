/* sandboxed WHEN ACTION HOST PORT: a program that leaves itself few system calls, as browsers and daemons do, WHEN its connection
 * stands ("after") or before it connects ("before"). ACTION is what others come to: "kill" or "errno". Then it echoes. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Its own, and what socksify-gss(1) says a sandbox must leave a wrapped program. */
static const int kAllowed[] = {SYS_recvfrom, SYS_sendto, SYS_poll, SYS_close, SYS_shutdown, SYS_write, SYS_exit_group,
                               SYS_brk, SYS_mmap, SYS_munmap, SYS_madvise,
                               SYS_ppoll, SYS_rt_sigprocmask, SYS_futex, SYS_getpid, SYS_gettid, SYS_getrandom, SYS_setsockopt,
                               SYS_getsockopt};
static const int kConnecting[] = {SYS_socket, SYS_connect};

static struct sock_filter filter[64];
static unsigned short length;

static void add(struct sock_filter one) { filter[length++] = one; }

static void allow(const int* calls, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1));
    add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
}

static int enter(int kill, int connecting) {
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  allow(kAllowed, sizeof kAllowed / sizeof *kAllowed);
  if (connecting) allow(kConnecting, 2);
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM));
  const struct sock_fprog program = {length, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static char sent[1 << 16], got[1 << 16];

static int echo(int fd, size_t size) {
  for (size_t i = 0; i < size; ++i) sent[i] = (char)(i * 7);
  if (send(fd, sent, size, MSG_NOSIGNAL) != (ssize_t)size) return 0;
  size_t have = 0;
  while (have < size) {
    struct pollfd wait = {fd, POLLIN, 0};
    poll(&wait, 1, -1);
    const ssize_t part = recv(fd, got + have, size - have, 0);
    if (part <= 0) return 0;
    have += (size_t)part;
  }
  return memcmp(sent, got, size) == 0;
}

static void say(const char* text) { (void)!write(1, text, strlen(text)); }

int main(int argc, char** argv) {
  (void)argc;
  const int after = strcmp(argv[1], "after") == 0, kill = strcmp(argv[2], "kill") == 0;
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
  if (getaddrinfo(argv[3], argv[4], &hints, &list) != 0) return 3;
  if (!after && enter(kill, 1) != 0) return 4;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
    say(strerrorname_np(errno));
    _exit(0);
  }
  if (after && enter(kill, 0) != 0) return 4;
  say(echo(fd, 5) && echo(fd, 60000) && echo(fd, 1) ? "echoed" : "broken");
  shutdown(fd, SHUT_WR);
  say(recv(fd, got, 1, 0) == 0 ? " ended" : " open");
  close(fd);
  _exit(0);
}
