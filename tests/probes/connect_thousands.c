/* 2000 non-blocking connects at once, half of them in one poll, half in one epoll: each succeeds,
 * and its octet arrives. */
#include "probe.h"

#include <sys/resource.h>

enum { kMany = 2000, kBacklog = 4096, kPatience = 140 };
static struct sockaddr_in here = {.sin_family = AF_INET};

/* Accepts so many connections, and says so on `report` once an octet has come by each. */
static void serve(int listener, int report, size_t count) {
  struct pollfd* const all = calloc(count, sizeof *all);
  for (size_t i = 0; i < count; ++i) all[i].fd = accept(listener, NULL, NULL);
  size_t good = 0;
  for (size_t i = 0; i < count; ++i) {
    char octet;
    good += read(all[i].fd, &octet, 1) == 1 && octet == 'x';
    close(all[i].fd);
  }
  must("report", write(report, &good, sizeof good) == sizeof good);
  free(all);
}

static int start(void) {
  int fd = tcp_socket(SOCK_NONBLOCK);
  if (connect(fd, (struct sockaddr*)&here, sizeof here) != -1 || errno != EINPROGRESS)
    puts("connect odd");
  return fd;
}

static void established(int fd) {
  if (socket_option(fd, SOL_SOCKET, SO_ERROR) != 0) puts("SO_ERROR odd");
  if (send(fd, "x", 1, 0) != 1) puts("send odd");
}

static void connect_all(size_t count) {
  const size_t polled = count / 2;
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct pollfd* const all = calloc(count, sizeof *all);
  for (size_t i = 0; i < count; ++i) {
    all[i].fd = start();
    all[i].events = POLLOUT;
    if (i >= polled) epoll_change(set, EPOLL_CTL_ADD, all[i].fd, EPOLLOUT | EPOLLONESHOT, 0);
  }
  int* const open = calloc(polled, sizeof *open);
  for (size_t left = polled; left != 0;) {
    must("poll", poll(all, polled, -1) > 0);
    for (size_t i = 0; i < polled; ++i) {
      if (all[i].fd < 0 || all[i].revents == 0) continue;
      established(all[i].fd);
      open[i] = all[i].fd;
      all[i].fd = -1;
      --left;
    }
  }
  for (size_t left = count - polled; left != 0;) {
    struct epoll_event events[64];
    const int ready = epoll_wait(set, events, 64, -1);
    must("epoll_wait", ready > 0);
    left -= (size_t)ready;
  }
  for (size_t i = 0; i < polled; ++i) close(open[i]);
  for (size_t i = polled; i < count; ++i) {
    established(all[i].fd);
    close(all[i].fd);
  }
  close(set);
  free(open);
  free(all);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  struct rlimit limit;
  must("getrlimit", getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit) == 0);
  const size_t room = limit.rlim_cur / 4, many = room < kMany ? room : kMany;
  int listener = socket(AF_INET, SOCK_STREAM, 0), reports[2];
  size_t good;
  socklen_t size = sizeof here;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  must("bind", bind(listener, (struct sockaddr*)&here, sizeof here) == 0);
  must("listen", listen(listener, kBacklog) == 0);
  must("name", getsockname(listener, (struct sockaddr*)&here, &size) == 0);
  must("pipe", pipe(reports) == 0);
  const pid_t server = probe_fork();
  alarm(kPatience);
  if (server == 0) {
    serve(listener, reports[1], many);
    _exit(0);
  }
  close(listener);
  connect_all(many);
  must("report", read(reports[0], &good, sizeof good) == sizeof good);
  answer("without", (int)(many - good));
  must("wait", waitpid(server, NULL, 0) == server);
  return 0;
}
