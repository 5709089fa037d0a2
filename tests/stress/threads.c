/* What threads of one process do with connections: transfers, duplicates, closing under each other.
 */
#include <sys/epoll.h>

#include "stress.h"

/* ---- one thread, one connection ---- */

static void ping(void) {
  struct stream stream;
  stream_open(&stream);
  stream_move(&stream, 1 + draw(100000));
  stream_end(&stream);
}

static void rush(void) {
  struct stream stream;
  stream_open(&stream);
  stream_rush(&stream, 1 + draw(1500000));
  stream_end(&stream);
}

static void idle(void) {
  struct stream stream;
  stream_open(&stream);
  if (draw(2)) disturb(&stream);
  must("close", close(stream.fd) == 0);
}

static void timeouts(void) {
  struct stream stream;
  char octet;
  stream_open(&stream);
  must("F_SETFL", set_flag(stream.fd, O_NONBLOCK, false) == 0);
  const struct timeval soon = {0, 2000}, never = {0, 0};
  must("SO_RCVTIMEO", setsockopt(stream.fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
  doing("waits for nothing");
  must("a timeout", recv(stream.fd, &octet, 1, 0) == -1 && (errno == EAGAIN || errno == EINTR));
  stream_move(&stream, 1 + draw(50000));
  must("SO_RCVTIMEO", setsockopt(stream.fd, SOL_SOCKET, SO_RCVTIMEO, &never, sizeof never) == 0);
  stream_move(&stream, 1 + draw(50000));
  stream_end(&stream);
}

static void duplicates(void) {
  struct stream stream, other;
  stream_open(&stream);
  for (uint32_t rounds = 1 + draw(8); rounds > 0; --rounds) {
    const int old = stream.fd;
    doing("duplicates");
    switch (draw(4)) {
      case 0:
        stream.fd = dup(old);
        break;
      case 1:
        stream.fd = fcntl(old, draw(2) ? F_DUPFD : F_DUPFD_CLOEXEC, 3 + (int)draw(200));
        break;
      case 2: /* over a connection */
        stream_open(&other);
        if (draw(2)) stream_move(&other, 1 + draw(2000));
        stream.fd = dup2(old, other.fd);
        must("the number asked for", stream.fd == other.fd);
        break;
      default: /* over something else */
        stream.fd = dup3(old, open("/dev/null", O_RDONLY | O_CLOEXEC), draw(2) ? O_CLOEXEC : 0);
    }
    must("a duplicate", stream.fd >= 0);
    if (draw(2)) stream_move(&stream, 1 + draw(20000));
    must("close", close(old) == 0);
    stream_move(&stream, 1 + draw(20000));
  }
  stream_end(&stream);
}

/* One event loop over many connections. */
static void many(void) {
  enum { kMany = 6 };
  struct stream streams[kMany];
  uint64_t ends[kMany];
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  must("epoll_create1", epoll >= 0);
  int left = kMany;
  for (int i = 0; i < kMany; ++i) {
    stream_open(&streams[i]);
    ends[i] = 1 + draw(100000);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, streams[i].fd, &event) == 0);
    stream_send(&streams[i], 1);
  }
  while (left > 0) {
    struct epoll_event events[kMany];
    doing("waits for many");
    const int n = epoll_wait(epoll, events, kMany, 60000);
    if (n == 0) failed("no event in a minute of %d connections", left);
    must("epoll_wait", n > 0 || errno == EINTR);
    for (int k = 0; k < n; ++k) {
      const uint32_t i = events[k].data.u32;
      struct stream* stream = &streams[i];
      stream_receive(stream, stream->sent - stream->got);
      if (stream->got == ends[i]) {
        /* A child of another thread may still have it: then closing would not end the registration.
         */
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_DEL, stream->fd, NULL) == 0);
        stream_end(stream);
        --left;
      } else {
        stream_send(
            stream,
            1 + draw((uint32_t)(ends[i] - stream->got < 30000 ? ends[i] - stream->got : 30000)));
      }
    }
    if (draw(64) == 0) disturb(NULL);
  }
  close(epoll);
}

/* ---- two threads, one connection ---- */

struct helper {
  struct worker worker;
  struct stream stream;
  size_t count;
  ssize_t result;
  int error; /* errno of it */
};

static pthread_t start(struct helper* helper, void* (*function)(void*)) {
  pthread_t thread;
  memset(&helper->worker, 0, sizeof helper->worker);
  helper->worker.index = self->index;
  helper->worker.random = draw(UINT32_MAX) + 1u;
  helper->worker.scenario = (const char*)self->scenario;
  must("pthread_create", (errno = pthread_create(&thread, NULL, function, helper)) == 0);
  return thread;
}

static void join(pthread_t thread, void** result) {
  doing("joins a thread");
  must("pthread_join", (errno = pthread_join(thread, result)) == 0);
}

static void* send_all(void* argument) {
  struct helper* helper = argument;
  self = &helper->worker;
  stream_send(&helper->stream, helper->count);
  must("shutdown", shutdown(helper->stream.fd, SHUT_WR) == 0);
  return NULL;
}

static void duplex(void) {
  struct stream stream;
  struct helper helper;
  stream_open(&stream);
  helper.stream = stream;
  helper.count = 500000 + draw(1500000);
  const pthread_t thread = start(&helper, &send_all);
  stream.sent = helper.count; /* as far as the reader is concerned */
  while (stream.got < stream.sent) {
    const uint64_t left = stream.sent - stream.got;
    stream_receive(&stream, 1 + draw((uint32_t)(left < 300000 ? left : 300000)));
    if (draw(3) == 0) disturb(&stream);
  }
  join(thread, NULL);
  char octet;
  ssize_t n;
  while ((n = recv(stream.fd, &octet, 1, 0)) < 0 && (errno == EINTR || errno == EAGAIN)) {
    if (errno == EAGAIN) stream_await(stream.fd, POLLIN);
  }
  must("the end", n == 0);
  octets += stream.got;
  must("close", close(stream.fd) == 0);
}

static void* receive_one(void* argument) {
  struct helper* helper = argument;
  self = &helper->worker;
  unsigned char octet;
  doing("is blocked in recv");
  do {
    helper->result = recv(helper->stream.fd, &octet, 1, 0);
    helper->error = errno;
  } while (helper->result == -1 && helper->error == EINTR);
  if (helper->result == 1) stream_check(&helper->stream, 0, &octet, 1);
  return NULL;
}

static void* send_for_ever(void* argument) {
  struct helper* helper = argument;
  self = &helper->worker;
  unsigned char block[30000];
  doing("is blocked in send");
  do {
    stream_fill(&helper->stream, helper->stream.sent, block, sizeof block);
    helper->result = send(helper->stream.fd, block, sizeof block, MSG_NOSIGNAL);
    if (helper->result > 0) helper->stream.sent += (uint64_t)helper->result;
  } while (helper->result >= 0 || errno == EINTR);
  must("EPIPE", errno == EPIPE || errno == ECONNRESET); /* as in stream_end */
  return NULL;
}

/* Let the other thread get into its call, or not. */
static void pause_a_little(void) {
  const struct timespec moment = {0, draw(2000000)};
  if (draw(2)) nanosleep(&moment, NULL);
}

/* A number is closed while a thread is blocked on it; the socket has another. */
static void closed_under_recv(void) {
  struct helper helper;
  stream_open(&helper.stream);
  must("F_SETFL", set_flag(helper.stream.fd, O_NONBLOCK, false) == 0);
  const int other = fcntl(helper.stream.fd, F_DUPFD_CLOEXEC, 0);
  must("dup", other >= 0);
  struct stream stream = helper.stream;
  const pthread_t thread = start(&helper, &receive_one);
  /* Not before the thread has looked the number up: that is what pausing cannot know, so the
   * number is closed only once the octet is on its way or the thread is seen to wait. */
  pause_a_little();
  if (draw(2)) disturb(&stream);
  stream.fd = other;
  stream_send(&stream, 1);
  join(thread, NULL);
  errno = helper.error;
  must("the octet", helper.result == 1);
  must("close", close(helper.stream.fd) == 0);
  stream.got = 1;
  stream_move(&stream, 1 + draw(1000));
  stream_end(&stream);
}

static void shut_down_under_send(void) {
  struct helper helper;
  stream_open(&helper.stream);
  must("F_SETFL", set_flag(helper.stream.fd, O_NONBLOCK, false) == 0);
  const int fd = helper.stream.fd;
  struct stream stream = helper.stream;
  const pthread_t thread = start(&helper, &send_for_ever);
  pause_a_little();
  if (draw(2)) disturb(&stream);
  must("shutdown", shutdown(fd, draw(2) ? SHUT_WR : SHUT_RDWR) == 0);
  join(thread, NULL);
  must("close", close(fd) == 0);
}

static void shut_down_under_recv(void) {
  struct helper helper;
  stream_open(&helper.stream);
  must("F_SETFL", set_flag(helper.stream.fd, O_NONBLOCK, false) == 0);
  const int fd = helper.stream.fd;
  struct stream stream = helper.stream;
  const pthread_t thread = start(&helper, &receive_one);
  pause_a_little();
  if (draw(2)) disturb(&stream);
  must("shutdown", shutdown(fd, draw(2) ? SHUT_RD : SHUT_RDWR) == 0);
  join(thread, NULL);
  errno = helper.error;
  must("the end", helper.result == 0);
  must("close", close(fd) == 0);
}

static void* wait_to_be_cancelled(void* argument) {
  const int fd = *(int*)argument;
  struct pollfd p = {.fd = fd, .events = POLLIN};
  char octet;
  for (;;) {
    if (fd % 2) (void)poll(&p, 1, -1);
    (void)recv(fd, &octet, 0, 0); /* nothing is taken, whenever it is cancelled */
    (void)recv(fd, &octet, 1, MSG_PEEK);
  }
  return NULL;
}

static void cancelled(void) {
  struct stream stream;
  pthread_t thread;
  void* result;
  stream_open(&stream);
  must("F_SETFL", set_flag(stream.fd, O_NONBLOCK, false) == 0);
  if (draw(2)) stream_move(&stream, 1 + draw(5000));
  int fd = stream.fd;
  must("pthread_create", (errno = pthread_create(&thread, NULL, &wait_to_be_cancelled, &fd)) == 0);
  pause_a_little();
  if (draw(3) == 0) disturb(&stream);
  must("pthread_cancel", (errno = pthread_cancel(thread)) == 0);
  join(thread, &result);
  must("PTHREAD_CANCELED", result == PTHREAD_CANCELED);
  stream_move(&stream, 1 + draw(20000));
  stream_end(&stream);
}

/* A connection that its own thread closes while others poll it. */
static void* poll_until_closed(void* argument) {
  struct pollfd p = {.fd = *(int*)argument, .events = POLLIN | POLLRDHUP};
  int n;
  while ((n = poll(&p, 1, 60000)) < 0 && errno == EINTR) {
  }
  return n == 1 ? NULL : argument;
}

static void polled_by_another(void) {
  struct stream stream;
  pthread_t thread;
  void* result;
  stream_open(&stream);
  int fd = stream.fd;
  must("pthread_create", (errno = pthread_create(&thread, NULL, &poll_until_closed, &fd)) == 0);
  pause_a_little();
  if (draw(2)) disturb(&stream);
  stream_send(&stream, 1 + draw(3000));
  join(thread, &result);
  must("an event for the other thread", result == NULL);
  stream_receive(&stream, stream.sent - stream.got);
  stream_end(&stream);
}

const struct scenario thread_scenarios[] = {
    {"ping", ping, kNothing},
    {"ping", ping, kNothing},
    {"rush", rush, kNothing},
    {"rush", rush, kNothing},
    {"idle", idle, kNothing},
    {"timeouts", timeouts, kNothing},
    {"duplicates", duplicates, kNothing},
    {"many", many, kNothing},
    {"duplex", duplex, kNothing},
    {"duplex", duplex, kNothing},
    {"closed under recv", closed_under_recv, kNothing},
    {"shut down under send", shut_down_under_send, kNothing},
    {"shut down under recv", shut_down_under_recv, kNothing},
    {"cancelled", cancelled, kNothing},
    {"polled by another", polled_by_another, kNothing},
    {NULL, NULL, kNothing},
};
