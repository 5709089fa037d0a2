#include "shim/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <ctime>

#include "lib/base/log.h"
#include "shim/descriptor_table.h"
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

ConnectionRef Connection::New(const Address& destination, const SocketAddress& peer) {
  ConnectionRef connection(ConnectionPool::Take());
  connection->destination_ = destination;
  connection->peer_ = peer;
  connecting_.fetch_add(1);
  connection->phase_.store(Phase::kConnecting, std::memory_order_release);
  return connection;
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
  attempt.reset();
  receiver_.Reset();
  sender_.Reset();
  layer_.reset();
  share_.Reset();
  descriptors_ = 0;
  framed_ = false;
  error_ = 0;
  success_untold_ = false;
  flush_scheduled_ = false;
  low_water_ = 1;
}

void Connection::LoseDescriptor(ConnectionRef connection, int fd) {
  if (connection->descriptors_.fetch_sub(1) == 1) connection->End(fd);
}

void Connection::End(int fd) {
  Phase before;
  {
    MutexLock lock(state_);
    before = phase_.exchange(Phase::kEnded);
    pthread_cond_broadcast(&outcome_);
    if (outcome_event_ >= 0) (void)eventfd_write(outcome_event_, 1);
  }
  if (before == Phase::kConnecting) {
    connecting_.fetch_sub(1);
    Registrations::Forget(this);
    Service::Wake();
  }
  if (before == Phase::kEstablished && framed() && fd >= 0) ScheduleFlush(fd);
}

void Connection::ScheduleFlush(int fd) {
  if (!sender_.has_tail() || flush_scheduled_.exchange(true)) return;
  Ref();
  Service::Flush(ConnectionRef(this), fd);
}

bool Connection::FlushTail(int fd) {
  if (sender_.Flush(fd) != 0 && errno == EAGAIN) return true;
  flush_scheduled_ = false;
  return sender_.has_tail() && !flush_scheduled_.exchange(true);
}

void Connection::Finish(int fd, Attempt::Next outcome) {
  const bool established = outcome == Attempt::Next::kEstablished;
  if (established) {
    ClientEngine& engine = attempt->engine();
    layer_ = engine.TakeLayer();
    Bytes early = engine.TakeEarlyData();
    if (layer_->framed()) {
      sender_.Start(layer_.get());
      receiver_.Start(layer_.get(), early, attempt->unread(), fd);
    } else if (attempt->unread() != 0) {
      uint8_t spent;
      (void)real::recv(fd, &spent, 1, MSG_DONTWAIT);
    }
    framed_.store(layer_->framed(), std::memory_order_release);
  } else {
    ReportFailedAttempt(*attempt, destination_);
    // The socket is as after a failed connect(2): not connected, ready for another.
    sockaddr nowhere = {};
    nowhere.sa_family = AF_UNSPEC;
    (void)real::connect(fd, &nowhere, sizeof nowhere);
    error_ = ConnectErrno(attempt->error().code());
  }
  attempt.reset();
  success_untold_ = established;
  Registrations::Release(this, [&] {
    MutexLock lock(state_);
    Phase connecting = Phase::kConnecting;
    if (phase_.compare_exchange_strong(connecting,
                                       established ? Phase::kEstablished : Phase::kFailed)) {
      connecting_.fetch_sub(1);
    }
    pthread_cond_broadcast(&outcome_);
    if (outcome_event_ >= 0) (void)eventfd_write(outcome_event_, 1);
  });
}

bool Connection::AwaitOutcome() {
  while (phase() == Phase::kConnecting) {
    const int event = OutcomeEvent();
    if (event < 0) return false;
    pollfd wait = {event, POLLIN, 0};
    if (real::poll(&wait, 1, -1) < 0 && !(errno == EINTR && SignalsRestartCalls())) return false;
  }
  return true;
}

int Connection::OutcomeEvent() {
  MutexLock lock(state_);
  if (outcome_event_ < 0) {
    outcome_event_ = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (outcome_event_ >= 0 && phase() != Phase::kConnecting) (void)eventfd_write(outcome_event_, 1);
  }
  return outcome_event_;
}

bool Connection::Own(ForkShare::Direction direction) {
  if (share_.Own(direction)) return true;
  ReportOnce("a connection to " + destination_.ToString() +
             " is used by a process and its child at the same time; only the first can go on");
  errno = EIO;
  return false;
}

ssize_t Connection::Receive(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kReceive)) return -1;
  size_t wanted = 0;
  for (size_t i = 0; i < count; ++i) wanted += vectors[i].iov_len;
  size_t total = 0;
  iovec rest;  // MSG_WAITALL goes on in what is left; only single vectors take it far
  for (;;) {
    ssize_t taken = receiver_.Take(fd, vectors, count, flags);
    if (taken > 0) total += static_cast<size_t>(taken);
    const bool all = (flags & MSG_WAITALL) != 0 && (flags & MSG_PEEK) == 0 && total < wanted;
    if (taken == 0 || (taken > 0 && !all)) return static_cast<ssize_t>(total);
    if (taken > 0) {
      if (count != 1) return static_cast<ssize_t>(total);
      rest = {static_cast<char*>(vectors[0].iov_base) + taken,
              vectors[0].iov_len - static_cast<size_t>(taken)};
      vectors = &rest;
      continue;
    }
    if (errno != EAGAIN) return total != 0 ? static_cast<ssize_t>(total) : -1;
    if (!DescriptorTable::Is(fd, this)) {
      errno = EBADF;
      return -1;
    }
    // Wait in the kernel, as the application's own recv would: O_NONBLOCK, SO_RCVTIMEO, SA_RESTART,
    // signals and cancellation are the kernel's business there. Nothing is copied or taken out.
    receiver_.BeginWait();
    ssize_t came = real::recv(fd, nullptr, receiver_.wait_target(),
                              MSG_PEEK | MSG_TRUNC | (flags & MSG_DONTWAIT));
    receiver_.EndWait();
    if (came < 0) return total != 0 ? static_cast<ssize_t>(total) : -1;
  }
}

namespace {

// Until the socket takes octets again. False with errno: EAGAIN when it does not block or its send
// timeout has passed, EINTR.
bool AwaitWritable(int fd, int flags) {
  if ((flags & MSG_DONTWAIT) != 0 || (real::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
    errno = EAGAIN;
    return false;
  }
  timeval timeout = {};
  socklen_t size = sizeof timeout;
  (void)real::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size);
  const int64_t milliseconds = timeout.tv_sec * 1000 + (timeout.tv_usec + 999) / 1000;
  for (;;) {
    pollfd wait = {fd, POLLOUT, 0};
    int ready = real::poll(&wait, 1, milliseconds == 0 ? -1 : static_cast<int>(milliseconds));
    if (ready > 0) return true;
    if (ready == 0) {
      errno = EAGAIN;
      return false;
    }
    if (errno != EINTR || milliseconds != 0 || !SignalsRestartCalls()) return false;
  }
}

}  // namespace

ssize_t Connection::Send(int fd, const iovec* vectors, size_t count, int flags) {
  if (!Own(ForkShare::kSend)) return -1;
  size_t wanted = 0;
  for (size_t i = 0; i < count; ++i) wanted += vectors[i].iov_len;
  if (wanted == 0) return real::send(fd, nullptr, 0, flags & (MSG_NOSIGNAL | MSG_DONTWAIT));
  size_t total = 0;
  for (;;) {
    if (total < wanted) {
      ssize_t put = sender_.Put(fd, vectors, count, total, flags);
      if (put > 0) total += static_cast<size_t>(put);
      if (put < 0 && errno != EAGAIN) return total != 0 ? static_cast<ssize_t>(total) : -1;
    } else if (sender_.has_tail() && sender_.Flush(fd) != 0 && errno != EAGAIN) {
      return static_cast<ssize_t>(total);  // the next call reports it
    }
    if (total == wanted && !sender_.has_tail()) return static_cast<ssize_t>(total);
    if (!DescriptorTable::Is(fd, this)) {
      errno = EBADF;
      return -1;
    }
    if (!AwaitWritable(fd, flags)) {
      const int error = errno;
      ScheduleFlush(fd);
      errno = error;
      return total != 0 ? static_cast<ssize_t>(total) : -1;
    }
  }
}

int Connection::ShutDown(int fd, int how) {
  if (how == SHUT_RD || how == SHUT_RDWR) receiver_.ShutDown();
  if (how == SHUT_RD) return real::shutdown(fd, SHUT_RD);
  if (!Own(ForkShare::kSend)) return -1;
  if (how != SHUT_WR && how != SHUT_RDWR) return real::shutdown(fd, how);
  int result = sender_.ShutDown(fd);
  ScheduleFlush(fd);
  if (how == SHUT_RDWR && result == 0) (void)real::shutdown(fd, SHUT_RD);
  return result;
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

void Connection::AfterFork(bool in_child) {
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
    at->receiver_.ForgetWaiters();
    at->flush_scheduled_ = false;
    if (at->references_ == 0) continue;
    if (at->phase() == Phase::kConnecting) {
      // The service's threads, which drive the attempt, are not in the child.
      (void)at->attempt.release();
      at->error_ = ECONNABORTED;
      at->phase_ = Phase::kFailed;
      connecting_.fetch_sub(1);
    }
  }
  if (in_child) {
    ConnectionPool::mutex_.Reinitialise();
  } else {
    ConnectionPool::mutex_.Unlock();
  }
}

}  // namespace socksify
