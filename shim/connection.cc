#include "shim/connection.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include "shim/clock.h"
#include "shim/descriptor_table.h"
#include "shim/library_call.h"
#include "shim/orphan.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {
namespace {

constexpr int64_t kEndSeconds = 10;  // for threads of a process that ends and waits for them

}  // namespace

// All connections that ever were, and those of them that are free.
class ConnectionPool {
 public:
  static Connection* Take() {
    ClearLeft();
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

  // For a child of vfork, which has this memory and descriptors of its own: the connection's are
  // closed here, by whoever comes next.
  static void Leave(Connection* connection) {
    connection->next_free_ = left_;
    while (!left_.compare_exchange_weak(connection->next_free_, connection)) {
    }
  }

  static void ClearLeft() {
    if (left_ == nullptr) return;
    for (Connection* at = left_.exchange(nullptr); at != nullptr;) {
      Connection* const next = at->next_free_;
      at->Clear();
      Give(at);
      at = next;
    }
  }

  static inline constinit Mutex mutex_;
  static inline constinit std::atomic<Connection*> left_ = nullptr;
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

bool Connection::TryRef() {
  uint32_t count = references_.load(std::memory_order_relaxed);
  while (count != 0) {
    if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire)) return true;
  }
  return false;
}

void Connection::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (InVforkChild()) return ConnectionPool::Leave(this);
  Clear();
  ConnectionPool::Give(this);
  ConnectionPool::ClearLeft();
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
  if (holding_ == Holding::kLast) share_.Forget();
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
  closes_ = false;
  sending_shut_ = false;
  holding_ = Holding::kCounted;
}

void Connection::LoseDescriptor(const ConnectionRef& connection, int fd) {
  // As in the kernel, a call that waits keeps what it waits on although the number goes.
  if (fd >= 0 && connection->replacing_.load()) {
    MutexLock lock(connection->state_);  // the number may be in another thread's hands still
  }
  if (fd >= 0 && connection->waiters_.AnyOther() && connection->followed_ < 0) {
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
  if (before == Phase::kEstablished && framed() && fd >= 0) {
    LetGo(fd);
    if (flush_scheduled_) Service::Wake();  // it is an orphan from now on
    ScheduleFlush(fd);
  }
  if (framed() || detached()) Service::SessionEnded();
}

namespace {

// close() is to reset the connection.
bool ResetsOnClose(int fd) {
  linger value = {};
  socklen_t size = sizeof value;
  (void)real::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size);
  return value.l_onoff != 0 && value.l_linger == 0;
}

bool HasOctets(int fd) {
  uint8_t octet;
  return real::recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

// The last descriptor of this process goes. The peer is told that no more comes, unless the kernel
// says worse, or another process still has the session.
void Connection::LetGo(int fd) {
  Holding held = Holding::kCounted;
  if (!closes_ || !holding_.compare_exchange_strong(held, Holding::kLetGo)) return;
  receiver_.LetGo(true);
  if (share_.held_by_others() && share_.CouldOwn(ForkShare::kSend))
    share_.Leave(sender_.SealClose());
  if (!share_.CountOff()) return;
  holding_ = Holding::kLast;
  SendClose(fd);
}

void Connection::SendClose(int fd) {
  const bool unread = share_.Own(ForkShare::kReceive) ? receiver_.HasUnread(fd) : HasOctets(fd);
  if (unread || ResetsOnClose(fd)) return;
  if (const ByteView left = share_.left(); !left.empty()) {
    sender_.SendSealed(fd, left);
  } else if (share_.Own(ForkShare::kSend)) {  // else its owner has died without a word
    sender_.Close(fd);
  }
}

void Connection::LetGoOfAll() {
  if (!AnyToTell()) return;
  ending_until_ = MonotonicNow() + kEndSeconds * kNanosecondsPerSecond;
  ending_ = gettid();
  DescriptorTable::ForEach(0, UINT32_MAX, [](int fd, DescriptorTable::Mark) {
    const ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection || connection->phase() != Phase::kEstablished || !connection->framed()) return;
    connection->LetGo(fd);
    // TakeTails is to find what is left, also when the service has done with the tail.
    if (connection->HasMoreToSend(fd)) connection->set_flush_fd(fd);
  });
}

// Its other threads end with the process before they learn that it has said so to the peer, unless
// it waits for one of them. Keeps errno.
void Connection::AwaitEnd() {
  constexpr int kMilliseconds = 10;
  const CancellationDisabled no_cancellation;
  const int saved_errno = errno;
  while (ending_ != 0 && ending_ != gettid() && MonotonicNow() < ending_until_) {
    (void)real::poll(nullptr, 0, kMilliseconds);
  }
  errno = saved_errno;
}

// What has been said cannot be taken back: such a connection sends no more.
void Connection::KeepAll() {
  if (!AnyToTell()) return;
  ending_ = 0;
  DescriptorTable::ForEach(0, UINT32_MAX, [](int fd, DescriptorTable::Mark) {
    const ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection) return;
    connection->receiver_.LetGo(false);
    if (connection->holding_ == Holding::kLetGo && connection->share_.CountOn())
      connection->holding_ = Holding::kCounted;
  });
}

void Connection::ScheduleFlush(int fd) {
  if (!HasMoreToSend(fd) || flush_scheduled_.exchange(true)) return;
  Ref();
  Service::Flush(ConnectionRef(this), fd);
}

// Once the server has been told of the end, its own may come. After close() the kernel would take
// that for octets that nobody reads, and drop what it has not sent.
bool Connection::HasMoreToSend(int fd) const {
  return sender_.has_tail() || (sender_.closing() && HasUnsent(fd));
}

short Connection::FlushTail(int fd) {
  const bool orphan = phase() == Phase::kEnded && !share_.shared();
  const Unread unread = orphan ? LookForUnread(fd) : Unread::kEnd;
  if (unread == Unread::kOctets) {
    sender_.Reset();  // and closing `fd`, the last of this socket, resets it
  } else if (sender_.Flush(fd) != 0 && errno == EAGAIN) {
    return OrphanEvents(unread);
  } else if (orphan && unread == Unread::kNothing && HasMoreToSend(fd)) {
    return POLLIN;
  }
  flush_scheduled_ = false;
  // There may be another tail by now. As long as there is one a process that ends must find
  // `flush_fd_`, which is another Flush's if that was scheduled since.
  if (sender_.has_tail() && !flush_scheduled_.exchange(true)) return POLLOUT;
  int ours = fd;
  (void)flush_fd_.compare_exchange_strong(ours, -1);
  return 0;
}

int Connection::FollowDescriptor(int fd) {
  if (DescriptorTable::Is(fd, this)) return fd;
  const int followed = followed_;
  if (followed < 0) errno = EBADF;
  return followed;
}

std::vector<Connection::Tail> Connection::TakeTails() {
  // Only when it is needed: sandboxes end processes, too.
  std::optional<DescriptorHeadroom> headroom;
  std::vector<Tail> tails;
  constexpr int kMilliseconds = 10'000;  // in vain where a handler has interrupted this very thread
  if (!ConnectionPool::mutex_.LockWithin(kMilliseconds)) return tails;
  for (Connection* at = ConnectionPool::all_; at != nullptr; at = at->next_) {
    const int fd = at->flush_fd_;
    if (at->references_ == 0 || fd < 0) continue;
    if (!headroom) headroom.emplace();
    // The service closes its own when it finds no tail there.
    const int own = OwnDescriptor::Duplicate(fd);
    if (own < 0) continue;
    const bool closing = at->sender_.closing();
    Bytes octets;
    if (at->flush_fd_ == fd) octets = at->sender_.TakeTailAtExit(own);
    const bool shared = at->share_.shared();
    if (octets.empty() && (shared || !closing || !HasUnsent(own))) {
      OwnDescriptor::Close(own);
    } else {
      tails.push_back({own, shared, closing, std::move(octets)});
    }
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
    // One that has ended here has no descriptor that a child could use.
    if (at->references_ == 0 || !at->framed() || at->phase() == Phase::kEnded) continue;
    const bool waiting = at->waiters_.any();
    (void)at->share_.Prepare(at->closes_, waiting || at->sender_.has_tail(), waiting);
  }
}

void Connection::AfterFork(bool in_child, bool counted, int door) {
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
    if (!counted) at->holding_ = Holding::kUncounted;
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
    ending_ = 0;
    ConnectionPool::mutex_.Reinitialise();
  } else {
    ConnectionPool::mutex_.Unlock();
  }
}

}  // namespace socksify
