/* Cancellation, deferred, in every call that waits, and asynchronous.
 * Every time the socket goes on working. */
#include "probe.h"

static int fd, ready[2];
static char text[64];
static struct iovec piece = {text, sizeof text};
static struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
static volatile int through;

static void in_read(void) { (void)!read(fd, text, sizeof text); }
static void in_readv(void) { (void)!readv(fd, &piece, 1); }
static void in_recv(void) { (void)!recv(fd, text, sizeof text, 0); }
static void in_recvfrom(void) { (void)!recvfrom(fd, text, sizeof text, 0, NULL, NULL); }
static void in_recvmsg(void) { (void)!recvmsg(fd, &message, 0); }
static void in_recvmmsg(void) {
  struct mmsghdr one = {.msg_hdr = message};
  recvmmsg(fd, &one, 1, 0, NULL);
}
static void in_poll(void) { await(fd, POLLIN); }
static void in_ppoll(void) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  ppoll(&p, 1, NULL, NULL);
}
static void in_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  select(fd + 1, &set, NULL, NULL, NULL);
}
static void in_pselect(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  pselect(fd + 1, &set, NULL, NULL, NULL, NULL);
}
static void in_epoll_wait(void) {
  struct epoll_event event;
  int set = epoll_create1(EPOLL_CLOEXEC);
  epoll_change(set, EPOLL_CTL_ADD, fd, EPOLLIN, 0);
  epoll_wait(set, &event, 1, -1);
}
static void in_send(void) {
  for (;;) send(fd, text, sizeof text, 0);
}
static void in_write(void) {
  for (;;) (void)!write(fd, text, sizeof text);
}
static void in_writev(void) {
  for (;;) (void)!writev(fd, &piece, 1);
}
static void in_sendmsg(void) {
  for (;;) sendmsg(fd, &message, 0);
}
static void in_sendto(void) {
  for (;;) sendto(fd, text, sizeof text, 0, NULL, 0);
}

static void clean(void* unused) {
  (void)unused;
  ++through;
}

static void* run(void* call) {
  pthread_cleanup_push(clean, NULL);
  must("write", write(ready[1], "r", 1) == 1);
  ((void (*)(void))call)();
  pthread_testcancel();
  pthread_cleanup_pop(0);
  return NULL;
}

static void* run_async(void* call) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  return run(call);
}

static void cancel(const char* what, void* (*how)(void*), void (*call)(void)) {
  pthread_t thread;
  void* result = NULL;
  char octet;
  through = 0;
  must("pthread_create", pthread_create(&thread, NULL, how, (void*)call) == 0);
  must("read", read(ready[0], &octet, 1) == 1);
  usleep(10000); /* most often it waits by now; the answers are the same if not */
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%s cancelled %d cleaned %d\n", what, result == PTHREAD_CANCELED, through);
}

int main(int argc, char** argv) {
  probe_start(argc, argv);
  must("pipe", pipe(ready) == 0);
  fd = peer("echo");
#define RECEIVING(call)          \
  cancel(#call, run, in_##call); \
  answer_echo(fd, "hello " #call);
  RECEIVING(read)
  RECEIVING(readv)
  RECEIVING(recv)
  RECEIVING(recvfrom)
  RECEIVING(recvmsg)
  RECEIVING(recvmmsg)
  RECEIVING(poll)
  RECEIVING(ppoll)
  RECEIVING(select)
  RECEIVING(pselect)
  RECEIVING(epoll_wait)
  cancel("recv at any time", run_async, in_recv);
  answer_echo(fd, "hello");
  cancel("poll at any time", run_async, in_poll);
  answer_echo(fd, "hello");
  close(fd);
#define SENDING(call)                             \
  {                                               \
    char key[64];                                 \
    snprintf(key, sizeof key, "%s", fresh_key()); \
    fd = peer_open();                             \
    peer_script(fd, "stash %s", key);             \
    cancel(#call, run, in_##call);                \
    answer("close", close(fd));                   \
    peer_release(key);                            \
  }
  SENDING(send)
  SENDING(write)
  SENDING(writev)
  SENDING(sendmsg)
  SENDING(sendto)
  return 0;
}
