#include "shim/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include "lib/base/log.h"
#include "lib/wire/frame.h"
#include "shim/descriptor_table.h"
#include "shim/library_call.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/report.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {

// All connections that ever were, and those of them that are free.
class ConnectionPool {
 public:
  static Connection* Take() {
    MutexLock lock(mutex_);
    Connection* connection = free_;
    if (connection != nullptr) {
      free_ = connection->next_free_;
    } else {
      connection = new Connection();
      connection->next_ = all_;
      all_ = connection;
    }
    connection->references_.store(1, std::memory_order_release);
    return connection;
  }

  static void Give(Connection* connection) {
    MutexLock lock(mutex_);
    connection->next_free_ = free_;
    free_ = connection;
  }

  static inline constinit Mutex mutex_;
  static inline constinit Connection* all_ = nullptr;
  static inline constinit Connection* free_ = nullptr;
};

ConnectionRef::ConnectionRef(const ConnectionRef& other) : connection_(other.connection_) {
  if (connection_ != nullptr) connection_->Ref();
}

void ConnectionRef::Drop() { connection_->Unref(); }

ConnectionRef Connection::New() {
  ConnectionRef connection(ConnectionPool::Take());
  connection->phase_.store(Phase::kIdle, std::memory_order_release);
  return connection;
}

Connection* Connection::Ended() {
  static Connection* const ended = ConnectionPool::Take();  // its one reference is never dropped
  return ended;
}

bool Connection::Begin(const Address& destination, const SocketAddress& peer) {
  MutexLock lock(state_);
  if (phase() != Phase::kIdle && phase() != Phase::kFailed) return false;
  destination_ = destination;
  peer_ = peer;
  error_ = 0;
  if (outcome_event_ >= 0) OwnDescriptor::Close(std::exchange(outcome_event_, -1));
  connecting_.fetch_add(1);
  generation_.fetch_add(1);
  phase_.store(Phase::kConnecting, std::memory_order_release);
  return true;
}

void Connection::Dissolve(int fd) {
  Registrations::Release(this, [&] {
    MutexLock lock(state_);
    if (phase_.exchange(Phase::kIdle) == Phase::kConnecting) connecting_.fetch_sub(1);
    if (framed_.exchange(false)) sessions_.fetch_sub(1);
    error_ = 0;
    options_.GiveBack(fd);
    receiver_.Reset(fd);
    sender_.Reset();
    layer_.reset();
    TellOutcome();
    return true;
  });
  Service::Wake();
}

void Connection::TellOutcome() {
  pthread_cond_broadcast(&outcome_);
  if (outcome_event_ >= 0) (void)eventfd_write(outcome_event_, 1);
}

bool Connection::TryRef() {
  uint32_t count = references_.load(std::memory_order_relaxed);
  while (count != 0) {
    if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire)) return true;
  }
  return false;
}

void Connection::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Clear();
  ConnectionPool::Give(this);
}

void Connection::Clear() {
  if (outcome_event_ >= 0) OwnDescriptor::Close(outcome_event_);
  outcome_event_ = -1;
  if (shut_down_event_ >= 0) OwnDescriptor::Close(shut_down_event_);
  shut_down_event_ = -1;
  if (followed_ >= 0) OwnDescriptor::Close(followed_);
  followed_ = -1;
  receiver_.Reset(-1);
  sender_.Reset();
  if (layer_) {
    const LibraryCall call;
    layer_.reset();
  }
  share_.Reset();
  options_.Forget();
  descriptors_ = 0;
  if (framed_.exchange(false)) sessions_.fetch_sub(1);
  error_ = 0;
  success_untold_ = false;
  flush_scheduled_ = false;
  home_ = -1;
  replacing_ = false;
  stand_in_ = 0;
  detach_when_established_ = false;
}

void Connection::LoseDescriptor(const ConnectionRef& connection, int fd) {
  // As in the kernel, a call that waits keeps what it waits on although the number goes.
  if (fd >= 0 && connection->replacing_.load()) {
    MutexLock lock(connection->state_);  // the number may be in another thread's hands still
  }
  if (fd >= 0 && connection->waiters_.any() && connection->followed_ < 0) {
    const int duplicate = OwnDescriptor::Duplicate(fd);
    int none = -1;
    if (duplicate >= 0 && !connection->followed_.compare_exchange_strong(none, duplicate)) {
      OwnDescriptor::Close(duplicate);
    }
  }
  if (connection->descriptors_.fetch_sub(1) != 1) return;
  if (fd >= 0) Registrations::Withdraw(fd);
  connection->End(fd);
}

void Connection::End(int fd) {
  Phase before;
  {
    MutexLock lock(state_);
    before = phase_.exchange(Phase::kEnded);
    TellOutcome();
  }
  if (before == Phase::kConnecting) {
    connecting_.fetch_sub(1);
    Registrations::Forget(this);
    Service::Wake();
  }
  if (before == Phase::kEstablished && framed() && fd >= 0) ScheduleFlush(fd);
  if (framed() || detached()) Service::SessionEnded();
}

void Connection::ScheduleFlush(int fd) {
  if (!sender_.has_tail() || flush_scheduled_.exchange(true)) return;
  Ref();
  Service::Flush(ConnectionRef(this), fd);
}

bool Connection::FlushTail(int fd) {
  if (sender_.Flush(fd) != 0 && errno == EAGAIN) return true;
  flush_fd_ = -1;
  flush_scheduled_ = false;
  if (!sender_.has_tail() || flush_scheduled_.exchange(true)) return false;
  flush_fd_ = fd;
  return true;
}

int Connection::FollowDescriptor(int fd) {
  if (DescriptorTable::Is(fd, this)) return fd;
  const int followed = followed_;
  if (followed < 0) errno = EBADF;
  return followed;
}

int Connection::TakeError(int fd) {
  const int error = error_.exchange(0);
  int stale;  // what dissolving the TCP connection has left behind
  socklen_t size = sizeof stale;
  if (error != 0) (void)real::getsockopt(fd, SOL_SOCKET, SO_ERROR, &stale, &size);
  return error;
}

void Connection::Succeed(int fd, Attempt& attempt, uint32_t generation) {
  MutexLock lock(state_);
  if (!IsConnecting(generation)) return;
  layer_ = attempt.engine().TakeLayer();
  if (layer_->framed()) {
    options_.MakeRoomForFrames(fd);
    sender_.Start(layer_.get());
    receiver_.Start(layer_.get(), attempt.engine().TakeEarlyData(), attempt.unread(), fd);
  } else {
    uint8_t spent;
    if (attempt.unread() != 0) (void)real::recv(fd, &spent, 1, MSG_DONTWAIT);
    options_.GiveBack(fd);
  }
  framed_.store(layer_->framed(), std::memory_order_release);
  if (framed()) sessions_.fetch_add(1);
  success_untold_ = true;
  outcome_phase_ = Phase::kEstablished;
}

void Connection::Fail(int fd, const Status& error, const ServerEndpoint& server,
                      uint32_t generation) {
  MutexLock lock(state_);
  if (!IsConnecting(generation)) return;
  ReportFailure(error, server, destination_);
  if (framed_.exchange(false)) {  // it was to be detached, which failed
    sessions_.fetch_sub(1);
    receiver_.Reset(fd);
    sender_.Reset();
    layer_.reset();
  }
  // The socket is as after a failed connect(2): not connected, ready for another; and as long as
  // the application has not been told, poll says that there is something to learn.
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  (void)real::connect(fd, &nowhere, sizeof nowhere);
  (void)real::shutdown(fd, SHUT_RDWR);
  options_.GiveBack(fd);
  error_ = ConnectErrno(error.code());
  outcome_phase_ = Phase::kFailed;
}

void Connection::Conclude(uint32_t generation) {
  if (!IsConnecting(generation)) return;  // it has ended, and its registrations with it
  Registrations::Release(this, [&] {
    MutexLock lock(state_);
    if (!IsConnecting(generation)) return false;
    phase_.store(outcome_phase_, std::memory_order_release);
    connecting_.fetch_sub(1);
    TellOutcome();
    return true;
  });
}

bool Connection::AwaitOutcome(int timeout_ms) {
  while (phase() == Phase::kConnecting) {
    const int event = OutcomeEvent();
    if (event < 0) {  // no descriptor is left: then signals do not interrupt
      MutexLock lock(state_);
      while (phase() == Phase::kConnecting) pthread_cond_wait(&outcome_, state_.native());
      return true;
    }
    pollfd wait = {event, POLLIN, 0};
    const int ready = real::poll(&wait, 1, timeout_ms);
    if (ready == 0) errno = EINPROGRESS;
    if (ready == 0 || (ready < 0 && !(errno == EINTR && SignalsRestartCalls()))) return false;
  }
  return true;
}

bool Connection::IsReadable(int fd) {
  if (phase() != Phase::kEstablished || !framed() || !share_.Owns(ForkShare::kReceive)) return true;
  return receiver_.IsReadable(fd);
}

int Connection::OutcomeEvent() {
  MutexLock lock(state_);
  if (outcome_event_ < 0) {
    outcome_event_ = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (outcome_event_ >= 0 && phase() != Phase::kConnecting)
      (void)eventfd_write(outcome_event_, 1);
  }
  return outcome_event_;
}

bool Connection::Own(ForkShare::Direction direction) {
  if (is_away()) (void)Fetch();  // where it cannot be, whoever is first has the direction
  if (!framed() || share_.Own(direction)) return true;
  ReportOnce("a connection to " + destination_.ToString() +
             " is used by a process and its child at the same time; only the first can go on");
  errno = EIO;
  return false;
}

namespace {

size_t TotalSize(const iovec* vectors, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += vectors[i].iov_len;
  return total;
}

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

}  // namespace

// A thread that waits in the kernel.
struct Connection::Waiting {
  Connection* connection;
  int place;
};

// A thread is cancelled while it waits: nothing is unwound here, so what it held is given back for
// it, the reference of the function that called Receive or Send included.
void Connection::WaiterCancelled(void* waiting) {
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
  pthread_cleanup_push(&WaiterCancelled, &waiting);
  came =
      real::recv(fd, nullptr, octets, MSG_PEEK | MSG_TRUNC | MSG_WAITALL | (flags & MSG_DONTWAIT));
  pthread_cleanup_pop(0);
  waiters_.Leave(waiting.place);
  return came;
}

// A thread in a call of the kernel's, after the session has gone.
struct Connection::Plain {
  Connection* connection;
  std::vector<iovec> rest;
  msghdr message;
};

void Connection::PlainCancelled(void* plain) {
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
  ssize_t received;
  pthread_cleanup_push(&PlainCancelled, &plain);
  received = real::recvmsg(fd, &plain.message, flags);
  pthread_cleanup_pop(0);
  return received < 0 && offset != 0 ? static_cast<ssize_t>(offset)
                                     : received + static_cast<ssize_t>(offset);
}

ssize_t Connection::SendPlain(int fd, const iovec* vectors, size_t count, size_t offset,
                              int flags) {
  Plain plain = {this, Behind(vectors, count, offset), {}};
  plain.message.msg_iov = plain.rest.data();
  plain.message.msg_iovlen = plain.rest.size();
  ssize_t sent;
  pthread_cleanup_push(&PlainCancelled, &plain);
  sent = real::sendmsg(fd, &plain.message, flags | MSG_NOSIGNAL);
  pthread_cleanup_pop(0);
  return sent < 0 && offset != 0 ? static_cast<ssize_t>(offset)
                                 : sent + static_cast<ssize_t>(offset);
}

ssize_t Connection::Receive(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kReceive)) return -1;
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
    const bool again = came >= 0 || (errno == EINTR && !framed());  // detached meanwhile
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
  pthread_cleanup_push(&WaiterCancelled, &waiting);
  writable = AwaitWritable(fd, flags);
  pthread_cleanup_pop(0);
  waiters_.Leave(waiting.place);
  return writable || (errno == EINTR && !framed());  // detached meanwhile
}

ssize_t Connection::Send(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kSend)) return -1;
  const size_t wanted = TotalSize(vectors, count);
  if (wanted == 0) return real::send(fd, nullptr, 0, flags & (MSG_NOSIGNAL | MSG_DONTWAIT));
  const ssize_t sent = SendAll(fd, vectors, count, wanted, flags);
  // As the kernel: only when nothing was taken, and to this thread.
  if (sent < 0 && errno == EPIPE && (flags & MSG_NOSIGNAL) == 0) {
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
  if (is_away()) (void)Fetch();
  if (!framed()) return real::shutdown(fd, how);
  if (how == SHUT_RD || how == SHUT_RDWR) receiver_.ShutDown();
  if (how == SHUT_RD) return real::shutdown(fd, SHUT_RD);
  if (!Own(ForkShare::kSend)) return -1;
  if (how != SHUT_WR && how != SHUT_RDWR) return real::shutdown(fd, how);
  int result = sender_.ShutDown(fd);
  if (sender_.has_tail()) {
    MutexLock lock(state_);
    if (shut_down_event_ >= 0) (void)eventfd_write(shut_down_event_, 1);
  }
  ScheduleFlush(fd);
  if (how == SHUT_RDWR && result == 0) (void)real::shutdown(fd, SHUT_RD);
  return result;
}

std::vector<Connection::Tail> Connection::TakeTails() {
  std::vector<Tail> tails;
  if (!ConnectionPool::mutex_.TryLock())
    return tails;  // a handler has interrupted this very thread
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    const int fd = at->flush_fd_;
    if (at->references_ == 0 || fd < 0) continue;
    if (Bytes octets = at->sender_.TakeTailAtExit(fd); !octets.empty())
      tails.push_back({fd, std::move(octets)});
  }
  ConnectionPool::mutex_.Unlock();
  return tails;
}

ConnectionRef Connection::FindLive(const Connection* connection, uint32_t generation) {
  MutexLock lock(ConnectionPool::mutex_);
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    if (at != connection || !at->TryRef()) continue;
    ConnectionRef found(at);
    if (at->phase() == Phase::kEstablished && at->generation() == generation) return found;
    ConnectionPool::mutex_.Unlock();  // letting go of the reference may take it
    found = {};
    ConnectionPool::mutex_.Lock();
    break;
  }
  return {};
}

bool Connection::AnyToAskFor() {
  MutexLock lock(ConnectionPool::mutex_);
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    if (at->references_ != 0 && at->descriptors_ != 0 && (at->framed() || at->detached())) {
      return true;
    }
  }
  return false;
}

bool Connection::IsDoor(int fd) {
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    if (at->references_ != 0 && at->home_ == fd) return true;
  }
  return false;
}

void Connection::BeforeFork() {
  ConnectionPool::mutex_.Lock();
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    at->state_.Lock();
    at->receiver_.mutex().Lock();
    at->sender_.mutex().Lock();
    if (at->references_ != 0 && at->framed()) (void)at->share_.Prepare(at->sender_.has_tail());
  }
}

void Connection::AfterFork(bool in_child, int door) {
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    if (!in_child) {
      at->sender_.mutex().Unlock();
      at->receiver_.mutex().Unlock();
      at->state_.Unlock();
      continue;
    }
    at->sender_.mutex().Reinitialise();
    at->receiver_.mutex().Reinitialise();
    at->state_.Reinitialise();
    at->outcome_ = PTHREAD_COND_INITIALIZER;
    at->sender_.ForgetTail();
    at->waiters_.Reset();
    at->replacing_ = false;
    if (at->references_ != 0 && at->framed() && at->home_ < 0) at->home_ = door;
    at->flush_scheduled_ = false;
    at->flush_fd_ = -1;
    at->followed_ = -1;
    at->outcome_event_ = -1;  // closed with all of the shim's own
    at->shut_down_event_ = -1;
    if (at->references_ == 0) continue;
    if (at->phase() == Phase::kConnecting) {
      // The service's threads, which drive the attempt, are not in the child.
      at->error_ = ECONNABORTED;
      at->phase_ = Phase::kFailed;
      connecting_.fetch_sub(1);
    }
  }
  if (in_child) {
    pollers.Reset();
    ForgetAskers();
    ConnectionPool::mutex_.Reinitialise();
  } else {
    ConnectionPool::mutex_.Unlock();
  }
}

}  // namespace socksify
