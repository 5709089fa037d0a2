/* A thread is blocked in recv, one in poll and one in epoll_wait while another thread's system()
 * inherits the connections: each goes on with what comes. */
#include "probe.h"

static int fds[3], ends[2];

static void ready(void) { must("write", write(ends[1], "r", 1) == 1); }

static void* receiver(void* result) {
  char* text = result;
  ready();
  ssize_t n = recv(fds[0], text, 16, 0);
  text[n < 0 ? 0 : n] = '\0';
  return result;
}

static void* poller(void* result) {
  char* text = result;
  struct pollfd p = {.fd = fds[1], .events = POLLIN};
  ready();
  poll(&p, 1, -1);
  ssize_t n = recv(fds[1], text, 16, 0);
  text[n < 0 ? 0 : n] = '\0';
  return result;
}

static void* waiter(void* result) {
  char* text = result;
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 77};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fds[2], &event);
  ready();
  while (epoll_wait(epoll, &event, 1, -1) < 0 && errno == EINTR) {
  }
  ssize_t n = recv(fds[2], text, 16, 0);
  text[n < 0 ? 0 : n] = '\0';
  snprintf(text + strlen(text), 16, " %d", (int)event.data.u64);
  return result;
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  static char texts[3][32];
  void* (*const functions[3])(void*) = {receiver, poller, waiter};
  pthread_t threads[3];
  char keys[3][64], octet;
  must("pipe", pipe(ends) == 0);
  for (int i = 0; i < 3; ++i) {
    snprintf(keys[i], sizeof keys[i], "%s", fresh_key());
    fds[i] = peer_open();
    peer_script(fds[i], "on %s text%d", keys[i], i);
    must("pthread_create", pthread_create(&threads[i], NULL, functions[i], texts[i]) == 0);
    must("read", read(ends[0], &octet, 1) == 1);
  }
  usleep(100000);
  answer("system", system("true"));
  for (int i = 0; i < 3; ++i) {
    peer_release(keys[i]);
    pthread_join(threads[i], NULL);
    printf("%s\n", texts[i]);
  }
  return 0;
}
