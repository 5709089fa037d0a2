// Octets of an established session: receive, send, shut down, and the waiting that a blocking
// socket does.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "shim/cleanup.h"
#include "shim/connection.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/signals.h"
#include "shim/user_memory.h"

namespace socksify {

bool Connection::IsReadable(int fd) {
  if (phase() != Phase::kEstablished || !framed() || !share_.Owns(ForkShare::kReceive)) return true;
  return receiver_.IsReadable(fd);
}

bool Connection::Own(ForkShare::Direction direction) {
  if (is_away()) AskHome();  // where nobody answers, whoever is first has the direction
  if (!framed() || share_.Own(direction)) return true;
  ReportOnce("a connection to " + destination_.ToString() +
             " is used by a process and its child at the same time; only the first can go on");
  errno = EIO;
  return false;
}

namespace {

// The vectors without their first `offset` octets.
std::vector<iovec> Behind(const iovec* vectors, size_t count, size_t offset) {
  std::vector<iovec> rest;
  for (size_t i = 0; i < count; ++i) {
    const size_t skipped = std::min(offset, vectors[i].iov_len);
    offset -= skipped;
    rest.push_back(
        {static_cast<char*>(vectors[i].iov_base) + skipped, vectors[i].iov_len - skipped});
  }
  return rest;
}

// Has the kernel said that the connection is no more?
bool IsLoss(int error) {
  return error == ECONNRESET || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

}  // namespace

// A thread that waits in the kernel.
struct Connection::Waiting {
  Connection* connection;
  int place;
};

// A thread is cancelled while it waits, or a handler jumps out: nothing is unwound here, so what it
// held is given back for it, the reference of the function that called Receive or Send included.
void Connection::WaiterGone(void* waiting) {
  auto* self = static_cast<Waiting*>(waiting);
  self->connection->waiters_.Leave(self->place);
  self->connection->Unref();
}

// Waits in the kernel, as the application's own recv would: O_NONBLOCK, SO_RCVTIMEO, SA_RESTART,
// signals and cancellation are the kernel's business there. Nothing is copied or taken out, and
// SO_RCVLOWAT, which others may change meanwhile, says when to wake.
ssize_t Connection::AwaitOctets(int fd, size_t octets, int flags) {
  ssize_t came;
  Waiting waiting = {this, waiters_.Enter()};
  {
    const Cleanup cleanup(&WaiterGone, &waiting);
    came = real::recv(fd, nullptr, octets,
                      MSG_PEEK | MSG_TRUNC | MSG_WAITALL | (flags & MSG_DONTWAIT));
  }
  waiters_.Leave(waiting.place);
  if (came < 0 && IsLoss(errno)) {
    NoteLost();
    // The peer's own last message, to who has shut down both directions: the kernel resets for it.
    // Where the session has gone meanwhile, what its end means is for the relay to say.
    if (closes_ && (receiver_.is_shut_down() || receiver_.is_let_go() || !framed())) came = 0;
  }
  return came;
}

// A thread in a call of the kernel's, after the session has gone.
struct Connection::Plain {
  Connection* connection;
  std::vector<iovec> rest;
  msghdr message;
};

void Connection::PlainGone(void* plain) {
  auto* self = static_cast<Plain*>(plain);
  std::vector<iovec>().swap(self->rest);
  self->connection->Unref();  // as above
}

// The session has gone: what is left to do is the kernel's.
ssize_t Connection::ReceivePlain(int fd, const iovec* vectors, size_t count, size_t offset,
                                 int flags) {
  Plain plain = {this, Behind(vectors, count, offset), {}};
  plain.message.msg_iov = plain.rest.data();
  plain.message.msg_iovlen = plain.rest.size();
  const Cleanup cleanup(&PlainGone, &plain);
  const ssize_t received = real::recvmsg(fd, &plain.message, flags);
  return received < 0 && offset != 0 ? static_cast<ssize_t>(offset)
                                     : received + static_cast<ssize_t>(offset);
}

ssize_t Connection::SendPlain(int fd, const iovec* vectors, size_t count, size_t offset,
                              int flags) {
  Plain plain = {this, Behind(vectors, count, offset), {}};
  plain.message.msg_iov = plain.rest.data();
  plain.message.msg_iovlen = plain.rest.size();
  const Cleanup cleanup(&PlainGone, &plain);
  const ssize_t sent = real::sendmsg(fd, &plain.message, flags | MSG_NOSIGNAL);
  return sent < 0 && offset != 0 ? static_cast<ssize_t>(offset)
                                 : sent + static_cast<ssize_t>(offset);
}

ssize_t Connection::Receive(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kReceive)) return -1;
  const ssize_t received = ReceiveOwned(fd, vectors, count, flags);
  if (received == 0 && receiver_.is_let_go()) AwaitEnd();
  return received;
}

ssize_t Connection::ReceiveOwned(int fd, const iovec* vectors, size_t count, int flags) {
  const bool all = (flags & MSG_WAITALL) != 0;
  const size_t low_water = static_cast<size_t>(receiver_.low_water());
  if ((flags & MSG_PEEK) != 0 || (!all && low_water > 1)) {
    const size_t wanted = TotalSize(vectors, count);
    return ReceiveAtOnce(fd, vectors, count, flags,
                         std::max<size_t>(all ? wanted : std::min(wanted, low_water), 1));
  }
  const size_t wanted = all ? TotalSize(vectors, count) : 0;
  size_t total = 0;
  for (;;) {
    if (!framed()) return ReceivePlain(fd, vectors, count, total, flags);
    ssize_t taken = receiver_.Take(fd, vectors, count, total, flags);
    if (taken < 0 && errno == ENOTCONN && !framed()) continue;
    if (taken > 0) total += static_cast<size_t>(taken);
    if (taken == 0 || (taken > 0 && total >= wanted)) return static_cast<ssize_t>(total);
    if (taken > 0) continue;
    if (errno != EAGAIN) return total != 0 ? static_cast<ssize_t>(total) : -1;
    if ((fd = FollowDescriptor(fd)) < 0) return total != 0 ? static_cast<ssize_t>(total) : -1;
    const ssize_t came = AwaitOctets(fd, 1, flags);
    // Detached meanwhile, or closed as well, which a call begun again finds.
    const bool again = came >= 0 || (!framed() && (errno == EINTR || errno == EBADF));
    if (again) fd = FollowDescriptor(fd);
    if (!again || fd < 0) return total != 0 ? static_cast<ssize_t>(total) : -1;
  }
}

// Waits, if at all, before anything is taken: until `least` octets are there, or all that will
// come.
ssize_t Connection::ReceiveAtOnce(int fd, const iovec* vectors, size_t count, int flags,
                                  size_t least) {
  for (bool last = false;;) {
    if (!framed()) return ReceivePlain(fd, vectors, count, 0, flags);
    const size_t needed = last ? 0 : receiver_.QueueNeeded(fd, least, flags);
    if (needed != 0) {
      if ((fd = FollowDescriptor(fd)) < 0) return -1;
      const ssize_t came = AwaitOctets(fd, needed, flags);
      if (came < 0 && errno == EINTR && !framed()) continue;  // detached meanwhile
      if (came < 0 || (fd = FollowDescriptor(fd)) < 0) return -1;
      last = static_cast<size_t>(came) < needed;  // a signal, the time, the end
      if (!last) continue;
    }
    const ssize_t taken = receiver_.Take(fd, vectors, count, 0, flags);
    if (taken < 0 && errno == ENOTCONN && !framed()) continue;
    // EAGAIN when another thread was faster, or SO_PEEK_OFF lies behind what there is.
    if (taken >= 0 || errno != EAGAIN || last) return taken;
  }
}

namespace {

// SO_SNDTIMEO in milliseconds; -1: none.
int SendTimeout(int fd) {
  timeval timeout = {};
  socklen_t size = sizeof timeout;
  (void)real::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size);
  const int64_t milliseconds = timeout.tv_sec * 1000 + (timeout.tv_usec + 999) / 1000;
  return milliseconds == 0 ? -1 : static_cast<int>(std::min<int64_t>(milliseconds, INT_MAX));
}

}  // namespace

// Until the socket takes octets again, or will take none. False with errno: EAGAIN when it does not
// block or its send timeout has passed, EINTR.
bool Connection::AwaitWritable(int fd, int flags) {
  if ((flags & MSG_DONTWAIT) != 0 || (real::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
    errno = EAGAIN;
    return false;
  }
  const int milliseconds = SendTimeout(fd);
  // shutdown() by another thread ends the wait, also while the kernel cannot be told of it yet.
  const int event = ShutDownEvent();
  for (;;) {
    pollfd waits[] = {{fd, POLLOUT, 0}, {event, POLLIN, 0}};
    const int ready = real::poll(waits, 2, milliseconds);
    if (ready > 0) return true;
    if (ready == 0) {
      errno = EAGAIN;
      return false;
    }
    if (errno != EINTR || milliseconds >= 0 || !SignalsRestartCalls()) return false;
  }
}

int Connection::ShutDownEvent() {
  MutexLock lock(state_);
  if (shut_down_event_ < 0) {
    const unsigned already = sender_.shut_down() ? 1 : 0;
    shut_down_event_ = OwnDescriptor::Adopt(real::eventfd(already, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  return shut_down_event_;
}

bool Connection::AwaitRoom(int fd, int flags) {
  bool writable;
  Waiting waiting = {this, waiters_.Enter()};
  {
    const Cleanup cleanup(&WaiterGone, &waiting);
    writable = AwaitWritable(fd, flags);
  }
  waiters_.Leave(waiting.place);
  return writable || (errno == EINTR && !framed());  // detached meanwhile
}

ssize_t Connection::Send(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kSend)) return -1;
  const size_t wanted = TotalSize(vectors, count);
  if (wanted == 0) return real::send(fd, nullptr, 0, flags & (MSG_NOSIGNAL | MSG_DONTWAIT));
  const ssize_t sent = SendAll(fd, vectors, count, wanted, flags);
  if (sent < 0 && errno == EPIPE) AwaitEnd();
  if (sent < 0 && IsLoss(errno)) NoteLost();
  // As the kernel: only when nothing was taken, and to this thread. Not for what the process itself
  // has ended on its way out.
  if (sent < 0 && errno == EPIPE && (flags & MSG_NOSIGNAL) == 0 && ending_ == 0) {
    (void)raise(SIGPIPE);
    errno = EPIPE;
  }
  return sent;
}

ssize_t Connection::SendAll(int fd, const iovec* vectors, size_t count, size_t wanted, int flags) {
  size_t total = 0;
  for (;;) {
    if (!framed()) {
      return total == wanted ? static_cast<ssize_t>(total)
                             : SendPlain(fd, vectors, count, total, flags);
    }
    if (total < wanted) {
      ssize_t put = sender_.Put(fd, vectors, count, total, flags);
      if (put > 0) total += static_cast<size_t>(put);
      if (put < 0 && errno == ENOTCONN && !framed()) continue;
      if (put < 0 && errno != EAGAIN) return total != 0 ? static_cast<ssize_t>(total) : -1;
    } else if (sender_.has_tail() && sender_.Flush(fd) != 0 && errno != EAGAIN) {
      return static_cast<ssize_t>(total);  // the next call reports it
    }
    if (total == wanted && (!sender_.has_tail() || sender_.shut_down()))
      return static_cast<ssize_t>(total);
    const bool writable = AwaitRoom(fd, flags);
    fd = FollowDescriptor(fd);
    if (fd < 0) return total != 0 ? static_cast<ssize_t>(total) : -1;
    if (!writable) {
      const int error = errno;
      ScheduleFlush(fd);
      errno = error;
      return total != 0 ? static_cast<ssize_t>(total) : -1;
    }
  }
}

int Connection::ShutDown(int fd, int how) {
  if (is_away()) AskHome();
  if (!framed()) return real::shutdown(fd, how);
  if (how == SHUT_RD) return ShutDownReceiving(fd);
  if (!Own(ForkShare::kSend)) return -1;
  if (how != SHUT_WR && how != SHUT_RDWR) return real::shutdown(fd, how);
  sending_shut_ = true;
  int result = sender_.ShutDown(fd);
  if (sender_.has_tail()) {
    MutexLock lock(state_);
    if (shut_down_event_ >= 0) (void)eventfd_write(shut_down_event_, 1);
  }
  ScheduleFlush(fd);
  if (how == SHUT_RDWR && result == 0) (void)ShutDownReceiving(fd);
  return result;
}

// Not while the session leaves, which takes along how far it has been shut down.
int Connection::ShutDownReceiving(int fd) {
  const SignalsBlocked signals;
  MutexLock lock(state_);
  if (framed()) receiver_.ShutDown();
  return real::shutdown(fd, SHUT_RD);
}

}  // namespace socksify
