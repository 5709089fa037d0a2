/* Streams to an echo: every octet sent and read is known by its key and place. */
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>

#include "stress.h"

enum { kWindow = 40000, kBlock = 50000 };

static unsigned char octet_at(uint32_t key, uint64_t place) {
  const uint64_t mixed = (place + key) * 0x9E3779B97F4A7C15u;
  return (unsigned char)(mixed >> 56);
}

void stream_fill(const struct stream* stream, uint64_t from, void* octets_, size_t count) {
  unsigned char* at = octets_;
  for (size_t i = 0; i < count; ++i) at[i] = octet_at(stream->key, from + i);
}

void stream_check(const struct stream* stream, uint64_t from, const void* octets_, size_t count) {
  const unsigned char* at = octets_;
  for (size_t i = 0; i < count; ++i) {
    if (at[i] != octet_at(stream->key, from + i)) {
      failed("descriptor %d: octet %llu of %llu sent is wrong, %zu into a read of %zu", stream->fd,
             (unsigned long long)(from + i), (unsigned long long)stream->sent, i, count);
    }
  }
}

/* ---- waiting ---- */

void stream_await(int fd, short events) {
  struct pollfd p = {.fd = fd, .events = events};
  const struct timespec minute = {60, 0};
  const uint32_t way = draw(6);
  int n;
  doing(events & POLLIN ? "waits to read" : "waits to write");
  if (way == 0) {
    n = ppoll(&p, 1, &minute, NULL);
  } else if (way == 1 && fd < FD_SETSIZE) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    n = select(fd + 1, events & POLLIN ? &set : NULL, events & POLLOUT ? &set : NULL, NULL,
               &(struct timeval){60, 0});
  } else if (way < 4) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = (events & POLLIN ? EPOLLIN : 0u) |
                                          (events & POLLOUT ? EPOLLOUT : 0u) |
                                          (way == 2 ? EPOLLET : EPOLLONESHOT)};
    must("epoll_create1", epoll >= 0);
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    n = epoll_wait(epoll, &event, 1, 60000);
    const int saved = errno;
    close(epoll);
    errno = saved;
  } else {
    n = poll(&p, 1, 60000);
  }
  if (n == 0) failed("descriptor %d: no event in a minute", fd);
  must("waiting for an event", n > 0 || errno == EINTR);
}

/* ---- opening and ending ---- */

static int connect_to(int family, int flags, const struct sockaddr_in* target) {
  const int fd = socket(family, SOCK_STREAM | flags, 0);
  must("socket", fd >= 0);
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = target->sin_port};
  memcpy(mapped.sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  memcpy(mapped.sin6_addr.s6_addr + 12, &target->sin_addr, 4);
  const struct sockaddr* address = family == AF_INET ? (const void*)target : (const void*)&mapped;
  const socklen_t length = family == AF_INET ? sizeof *target : sizeof mapped;
  int error = connect(fd, address, length) == 0 ? 0 : errno;
  if (error == EINTR || error == EINPROGRESS) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    doing("waits for a connect");
    while ((p.revents & (POLLOUT | POLLERR | POLLHUP)) == 0)
      stream_await(fd, POLLOUT), poll(&p, 1, 0);
    socklen_t size = sizeof error;
    must("SO_ERROR", getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
  }
  errno = error;
  if (error == 0) return fd;
  close(fd);
  errno = error;
  return -1;
}

void stream_open(struct stream* stream) {
  const int family = draw(6) == 0 ? AF_INET6 : AF_INET;
  const int flags = (draw(2) ? SOCK_CLOEXEC : 0) | (draw(3) == 0 ? SOCK_NONBLOCK : 0);
  if (draw(16) == 0) {
    doing("connects to nobody");
    must("a refusal", connect_to(family, flags, &refusing) == -1 && errno == ECONNREFUSED);
  }
  doing("connects");
  *stream = (struct stream){.fd = connect_to(family, flags, &origin), .key = draw(UINT32_MAX)};
  must("connect", stream->fd >= 0);
  ++connections;
}

void stream_open_blocking(struct stream* stream) {
  doing("connects");
  *stream = (struct stream){.fd = connect_to(AF_INET, 0, &origin), .key = 1};
  must("connect", stream->fd >= 0);
}

static ssize_t receive_more(struct stream* stream);

void stream_end(struct stream* stream) {
  char octet;
  octets += stream->got;
  doing("ends");
  switch (draw(6)) {
    case 0: /* just so, perhaps with octets on their way */
      break;
    case 1:
      must("SO_LINGER", setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                                   sizeof(struct linger)) == 0);
      break;
    case 2:
      must("shutdown", shutdown(stream->fd, SHUT_RDWR) == 0);
      /* The kernel resets a connection on which octets come that nobody will read. */
      must("EPIPE",
           send(stream->fd, "", 1, MSG_NOSIGNAL) == -1 && (errno == EPIPE || errno == ECONNRESET));
      break;
    case 3:
      must("shutdown", shutdown(stream->fd, SHUT_RD) == 0);
      break;
    default:
      must("shutdown", shutdown(stream->fd, SHUT_WR) == 0);
      while (receive_more(stream) != 0) {
      }
      if (stream->got != stream->sent) {
        failed("descriptor %d: an end after %llu of %llu octets", stream->fd,
               (unsigned long long)stream->got, (unsigned long long)stream->sent);
      }
      must("the end again", recv(stream->fd, &octet, 1, 0) == 0);
  }
  must("close", close(stream->fd) == 0);
}

/* ---- octets ---- */

/* One write of at most `most`, in one of the ways there are; what was taken, waiting once if
 * nothing was. */
static ssize_t send_some(struct stream* stream, size_t most, bool wait) {
  unsigned char block[kBlock];
  const size_t size = 1 + draw((uint32_t)(most < kBlock ? most : kBlock));
  stream_fill(stream, stream->sent, block, size);
  const size_t third = size / 3;
  struct iovec vectors[3] = {
      {block, third}, {block + third, third}, {block + 2 * third, size - 2 * third}};
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 3};
  ssize_t n;
  doing("sends");
  switch (draw(5)) {
    case 0:
      n = write(stream->fd, block, size);
      break;
    case 1:
      n = writev(stream->fd, vectors, 3);
      break;
    case 2:
      n = sendmsg(stream->fd, &message, 0);
      break;
    case 3:
      n = send(stream->fd, block, size, MSG_DONTWAIT);
      break;
    default:
      n = send(stream->fd, block, size, MSG_NOSIGNAL);
  }
  if (n > 0) return (void)(stream->sent += (uint64_t)n), n;
  must("send", n == -1 && (errno == EAGAIN || errno == EINTR));
  if (wait && errno == EAGAIN) stream_await(stream->fd, POLLOUT);
  return 0;
}

/* One read that must not fail: what came, 0 at the end, -1 for nothing yet. */
static ssize_t receive_some(struct stream* stream) {
  unsigned char block[kBlock];
  const size_t size = 1 + draw(draw(4) == 0 ? 16 : kBlock);
  const size_t half = size / 2;
  const uint64_t coming = stream->sent - stream->got;
  struct iovec vectors[2] = {{block, half}, {block + half, size - half}};
  struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
  ssize_t n;
  doing("receives");
  switch (draw(8)) {
    case 0:
      n = read(stream->fd, block, size);
      break;
    case 1:
      n = readv(stream->fd, vectors, 2);
      break;
    case 2:
      n = recvmsg(stream->fd, &message, 0);
      break;
    case 3:
      n = recv(stream->fd, block, size, MSG_DONTWAIT);
      break;
    case 4: /* for as much as will come */
      n = recv(stream->fd, block, coming != 0 && coming < size ? coming : size,
               coming != 0 ? MSG_WAITALL : 0);
      break;
    case 5: /* twice the same */
      n = recv(stream->fd, block, size, MSG_PEEK);
      if (n > 0) stream_check(stream, stream->got, block, (size_t)n);
      if (n > 0) n = recv(stream->fd, block, (size_t)n, 0);
      break;
    default:
      n = recv(stream->fd, block, size, 0);
  }
  must("receive", n >= 0 || errno == EAGAIN || errno == EINTR);
  if (n <= 0) return n;
  stream_check(stream, stream->got, block, (size_t)n);
  stream->got += (uint64_t)n;
  return n;
}

static ssize_t receive_more(struct stream* stream) {
  ssize_t n;
  while ((n = receive_some(stream)) < 0) {
    if (errno == EAGAIN) stream_await(stream->fd, POLLIN);
  }
  return n;
}

void stream_send(struct stream* stream, size_t count) {
  for (const uint64_t end = stream->sent + count; stream->sent < end;) {
    send_some(stream, end - stream->sent, true);
  }
}

void stream_receive(struct stream* stream, size_t count) {
  for (const uint64_t end = stream->got + count; stream->got < end;) {
    int there = 0;
    must("FIONREAD", draw(8) != 0 || ioctl(stream->fd, FIONREAD, &there) == 0);
    if ((uint64_t)there > stream->sent - stream->got) failed("FIONREAD counts %d", there);
    if (receive_more(stream) == 0) failed("descriptor %d: an early end", stream->fd);
  }
}

void stream_move(struct stream* stream, size_t count) {
  while (count > 0) {
    const size_t part = 1 + draw((uint32_t)(count < kWindow ? count : kWindow));
    stream_send(stream, part);
    stream_receive(stream, part);
    count -= part;
  }
}

void stream_rush(struct stream* stream, size_t count) {
  const uint64_t end = stream->sent + count;
  const uint32_t kind[] = {0, EPOLLET, EPOLLONESHOT}, how = kind[draw(3)];
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = how | EPOLLIN | EPOLLOUT, .data.u64 = stream->key};
  must("F_SETFL", set_flag(stream->fd, O_NONBLOCK, true) == 0);
  must("epoll_create1", epoll >= 0);
  must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event) == 0);
  while (stream->got < end) {
    bool full = false;
    while (stream->sent < end && !full) {
      full = send_some(stream, end - stream->sent, false) == 0 && errno == EAGAIN;
    }
    ssize_t n;
    while (stream->got < end && ((n = receive_some(stream)) > 0 || (n < 0 && errno == EINTR))) {
    }
    if (stream->got == end) break;
    if (n == 0) failed("descriptor %d: an early end", stream->fd);
    event.events = how | EPOLLIN | (stream->sent < end ? EPOLLOUT : 0u);
    if (how != EPOLLET) must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &event) == 0);
    doing(how == EPOLLET ? "waits for an edge" : "waits in epoll");
    const int events = epoll_wait(epoll, &event, 1, 60000);
    if (events == 0) failed("descriptor %d: no event in a minute", stream->fd);
    must("epoll_wait", events == 1 || errno == EINTR);
    if (events == 1 && event.data.u64 != stream->key) failed("another's event");
  }
  close(epoll);
  must("F_SETFL", set_flag(stream->fd, O_NONBLOCK, false) == 0);
}
