/* A connect that the other side does not answer: EINTR by a signal, EALREADY and EINPROGRESS after,
 * the send timeout; with SA_RESTART it goes on, and is done when the other side accepts. */
#include "probe.h"

static int listening;
static struct sockaddr_in own = {.sin_family = AF_INET};

static void nothing(int number) { (void)number; }

static volatile sig_atomic_t ticks;
static void accept_later(int number) {
  (void)number;
  if (++ticks < 4) return;
  int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) close(fd);
}

/* Fills the listener's queue, so that a further connect waits. */
static void listen_deaf(void) {
  socklen_t length = sizeof own;
  listening = tcp_socket(0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must("bind", bind(listening, (struct sockaddr*)&own, sizeof own) == 0);
  must("listen", listen(listening, 0) == 0);
  must("getsockname", getsockname(listening, (struct sockaddr*)&own, &length) == 0);
  set_nonblocking(listening, 1);
  must("first", connect(tcp_socket(0), (struct sockaddr*)&own, sizeof own) == 0);
}

static int again(int fd) { return connect(fd, (struct sockaddr*)&own, sizeof own); }

int main(int argc, char** argv) {
  probe_start(argc, argv);
  listen_deaf();
  start_ticks(nothing, 0);
  int fd = tcp_socket(0);
  answer("connect", again(fd));
  answer("connect again", again(fd));
  set_nonblocking(fd, 1);
  answer("connect not waiting", again(fd));
  answer("send", send(fd, "x", 1, MSG_NOSIGNAL));
  answer("recv", recv(fd, &fd, 1, 0));
  struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
  answer("poll", poll(&p, 1, 0));
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  answer("getpeername", getpeername(fd, (struct sockaddr*)&name, &length));
  answer("shutdown", shutdown(fd, SHUT_RD));
  close(fd);

  fd = tcp_socket(SOCK_NONBLOCK);
  answer("connect", again(fd));
  answer("connect again", again(fd));
  answer("close", close(fd));

  signal(SIGUSR1, SIG_IGN);
  fd = tcp_socket(0);
  struct timeval limit = {0, 100000};
  must("SO_SNDTIMEO", setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  answer("connect with a timeout", again(fd));
  answer("connect again", again(fd));
  close(fd);

  fd = tcp_socket(0);
  struct sigaction restart = {.sa_handler = accept_later, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &restart, NULL);
  answer("connect restarted", again(fd));
  signal(SIGUSR1, SIG_IGN);
  answer("SO_ERROR", socket_option(fd, SOL_SOCKET, SO_ERROR));
  return 0;
}
