/* What was set on a socket is still so after another program has inherited it. */
#include "probe.h"

static void answers(int fd) {
  int value;
  socklen_t size;
  static const struct {
    const char* name;
    int level, option;
  } options[] = {{"nodelay", IPPROTO_TCP, TCP_NODELAY}, {"keepalive", SOL_SOCKET, SO_KEEPALIVE},
                 {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE}, {"tos", IPPROTO_IP, IP_TOS},
                 {"oobinline", SOL_SOCKET, SO_OOBINLINE}, {"type", SOL_SOCKET, SO_TYPE},
                 {"domain", SOL_SOCKET, SO_DOMAIN}, {"protocol", SOL_SOCKET, SO_PROTOCOL},
                 {"error", SOL_SOCKET, SO_ERROR}, {"accepting", SOL_SOCKET, SO_ACCEPTCONN}};
  for (size_t i = 0; i < sizeof options / sizeof *options; ++i) {
    value = -5;
    size = sizeof value;
    getsockopt(fd, options[i].level, options[i].option, &value, &size);
    answer(options[i].name, value);
  }
  struct timeval timeout = {0};
  size = sizeof timeout;
  getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, &size);
  printf("timeout %ld %ld\n", (long)timeout.tv_sec, (long)timeout.tv_usec);
  struct linger linger = {0};
  size = sizeof linger;
  getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size);
  printf("linger %d %d\n", linger.l_onoff, linger.l_linger);
  answer("nonblock", (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  answer("async", (fcntl(fd, F_GETFL) & O_ASYNC) != 0);
  answer("owner", fcntl(fd, F_GETOWN) == getpid());
  answer_peername(fd);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  signal(SIGIO, SIG_IGN);
  int fd = peer("echo"), one = 1, tos = 0x10, idle = 1234;
  struct timeval timeout = {3, 500000};
  struct linger linger = {1, 7};
  struct sockaddr_in before, after;
  socklen_t size = sizeof before;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
  setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
  getsockname(fd, (struct sockaddr*)&before, &size);
  answers(fd);
  fflush(stdout);
  answer("system", system("true"));
  answers(fd);
  getsockname(fd, (struct sockaddr*)&after, &size);
  answer("name", memcmp(&before, &after, sizeof before) == 0);
  return 0;
}
