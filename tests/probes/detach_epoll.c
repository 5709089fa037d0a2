/* Registrations in epoll instances, of both triggers and one-shot, move with the connection. */
#include "probe.h"

static void wait_all(const char* what, const int* epolls) {
  for (int i = 0; i < 3; ++i) {
    struct epoll_event event = {0};
    int n = epoll_wait(epolls[i], &event, 1, 2000);
    printf("%s %d: %d %d", what, i, n, (int)event.data.u64);
    if (n == 1) answer_epoll("", event.events);
    else putchar('\n');
  }
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static const unsigned kinds[3] = {EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT};
  char text[64];
  int fd = peer("echo"), epolls[3], number = dup(fd);
  for (int i = 0; i < 3; ++i) {
    struct epoll_event event = {.events = kinds[i], .data.u64 = (unsigned)i + 40};
    epolls[i] = epoll_create1(0);
    answer("add", epoll_ctl(epolls[i], EPOLL_CTL_ADD, i == 1 ? number : fd, &event));
  }
  answer("system", system("true"));
  send_all(fd, "one", 3);
  await_octets(fd, 3);
  wait_all("one", epolls);
  answer_octets("recv", recv(number, text, sizeof text, 0), text);
  send_all(fd, "two", 3);
  await_octets(fd, 3);
  struct epoll_event event = {.events = kinds[2], .data.u64 = 99};
  answer("mod", epoll_ctl(epolls[2], EPOLL_CTL_MOD, fd, &event));
  wait_all("two", epolls);
  answer("del", epoll_ctl(epolls[0], EPOLL_CTL_DEL, fd, NULL));
  answer("close", close(number));
  answer_octets("recv", recv(fd, text, sizeof text, 0), text);
  return 0;
}
