// One proxied TCP connection of the application: its descriptor is the application's own socket,
// connected to the SOCKS server.
//
//   kIdle -> kConnecting -> kEstablished | kFailed -> (last descriptor gone) kEnded
//     ^__________________________________|  connect(AF_UNSPEC), or another attempt after a failure
//
// Counted; the memory of a Connection is never given back to the allocator, only used again, so
// that a stale pointer can safely be asked for a reference (descriptor_table.h).
#ifndef SHIM_CONNECTION_H_
#define SHIM_CONNECTION_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "lib/io/socket_address.h"
#include "lib/security/security_layer.h"
#include "shim/attempt.h"
#include "shim/borrowed_options.h"
#include "shim/connection_ref.h"
#include "shim/fork_share.h"
#include "shim/mutex.h"
#include "shim/receiver.h"
#include "shim/sender.h"
#include "shim/waiters.h"

namespace socksify {

struct SessionState;
struct StandIn;

class Connection {
 public:
  enum class Phase : uint8_t { kIdle, kConnecting, kEstablished, kFailed, kEnded };

  // A new connection in kIdle.
  static ConnectionRef New();
  // What a number means while it is being closed: a connection in kEnded that never goes.
  static Connection* Ended();

  // --- references and descriptors ----------------------------------------------------------------
  bool TryRef();
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();
  void GainDescriptor() { descriptors_.fetch_add(1); }
  // A descriptor of it goes. `fd` is that number, still open, or -1. With the last one the
  // connection ends; a tail that is not out yet goes to the service first.
  static void LoseDescriptor(const ConnectionRef& connection, int fd);

  // --- being connected ---------------------------------------------------------------------------
  // kIdle or kFailed becomes kConnecting. `destination` is what the server is asked for, `peer`
  // what the application named, which getpeername() answers. False when another thread was faster.
  bool Begin(const Address& destination, const SocketAddress& peer);
  // What an attempt that is under way comes to matters no more. Dissolve() follows.
  void Abandon() { generation_.fetch_add(1); }
  // The association has been dissolved: kIdle again.
  void Dissolve(int fd);
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  // Does its descriptor carry a session, or will it? Then nobody but the shim can read or write
  // there.
  bool carries_session() const {
    return phase() == Phase::kConnecting || (phase() == Phase::kEstablished && framed());
  }
  // Does this process have connections that carry a session? A load.
  static bool AnySession() { return sessions_.load(std::memory_order_acquire) != 0; }
  // Is there a connection that a forked child may still ask for (home.h)?
  static bool AnyToAskFor();
  // Is any connection of this process kConnecting? A load.
  static bool AnyConnecting() { return connecting_.load(std::memory_order_acquire) != 0; }
  // Octets pass through the shim's hands, in frames.
  bool framed() const { return framed_.load(std::memory_order_acquire); }

  // Counts the attempts: what an old one comes to matters no more.
  uint32_t generation() const { return generation_.load(std::memory_order_acquire); }
  bool IsConnecting(uint32_t generation) const {
    return phase() == Phase::kConnecting && this->generation() == generation;
  }

  // The attempt has ended: takes its outcome over, if it is still wanted. `fd` is any descriptor of
  // the socket.
  void Succeed(int fd, Attempt& attempt, uint32_t generation);
  void Fail(int fd, const Status& error, const ServerEndpoint& server, uint32_t generation);
  // Then tells everybody who waits. By now no descriptor of the shim's own may be on the socket: it
  // would keep epoll registrations alive that the application takes for closed.
  void Conclude(uint32_t generation);
  // Waits until it is no longer kConnecting, at most so long (-1: for ever). False with errno
  // EINTR, or EINPROGRESS when the time is up.
  bool AwaitOutcome(int timeout_ms);
  // An eventfd that is readable from the outcome on; -1 with errno. Lives as long as a reference.
  int OutcomeEvent();

  // SO_ERROR: the outcome of a failed connect(), once.
  int TakeError(int fd);
  // The first connect() after a non-blocking one learns of its success; later ones say EISCONN.
  bool TakeSuccess() { return success_untold_.exchange(false); }
  void TellSuccess() { success_untold_ = false; }

  const Address& destination() const { return destination_; }
  const SocketAddress& peer() const { return peer_; }

  // --- octets, once established and framed -------------------------------------------------------
  // As recvmsg(2) and sendmsg(2) on a stream socket. They wait where a blocking socket does.
  ssize_t Receive(int fd, const iovec* vectors, size_t count, int flags);
  ssize_t Send(int fd, const iovec* vectors, size_t count, int flags);
  int ShutDown(int fd, int how);
  size_t Available(int fd) {
    return share_.Owns(ForkShare::kReceive) ? receiver_.Available(fd) : 0;
  }
  // Does the session live in the process that has forked this one?
  bool is_away() const { return home_.load(std::memory_order_acquire) >= 0; }
  // Can recv() deliver something, the end or an error included? Answers for poll what the kernel
  // could not know when the first octets of a frame came.
  bool IsReadable(int fd);
  // The application has been told by SO_ERROR that the connection is lost.
  void NoteLost() { receiver_.NoteLost(); }
  // Both directions have been shut down here, where the peer ends its own by a message: the kernel
  // answers that with a reset. So an error means nothing any more.
  bool HidesErrors() const {
    return closes_ && sending_shut_ && receiver_.is_shut_down() && framed();
  }
  BorrowedOptions& options() { return options_; }
  void set_flush_fd(int fd) { flush_fd_ = fd; }
  // --- detach (connection_detach.cc) ---
  // The session leaves this process for the relay, and a plain socket takes the place of its
  // descriptors: framed() is false then. In a forked child the process that has the session does
  // that. False with errno. Blocks for some milliseconds. Not in vfork's child: shim/detach.h.
  bool Detach();
  // As soon as it is established, before anybody learns of it.
  void DetachOnceEstablished() { detach_when_established_ = true; }
  bool detach_when_established() const { return detach_when_established_; }
  // Is `fd` the plain socket that has taken the session's place?
  bool IsStandIn(int fd) const;
  // As getsockname(2) said it before.
  const SocketAddress& detached_name() const { return detached_name_; }
  bool detached() const { return stand_in_.load(std::memory_order_acquire) != 0; }
  // Are, or were, its descriptors being replaced?
  bool replaced() const { return replacing_.load(); }
  // `fd` was duplicated while the session was being detached: makes it the plain socket too.
  void BringUpToDate(int fd);
  // A new descriptor for what the connection's descriptors mean; -1 with errno.
  int DuplicateDescriptor() const;
  // The connection at that address, if it is that generation's still and established.
  static ConnectionRef FindLive(const Connection* connection, uint32_t generation);
  // Threads that wait for several descriptors, connections among them.
  static inline constinit Waiters pollers;
  // Counts the sessions that have been detached, each of which interrupts the pollers.
  static unsigned detachments() { return detachments_.load(std::memory_order_acquire); }

  // For the service: writes the tail. What to poll for while some of it is left, else 0.
  short FlushTail(int fd);

  // --- the end, where the method has a message for it ---
  // This program ends: its connections are let go of as by close(). TakeTails follows.
  static void LetGoOfAll();
  static bool AnyToTell() { return any_closes_.load(std::memory_order_acquire); }
  // It has not ended.
  static void KeepAll();

  // At exit: the tails that the kernel does not take now, each with a descriptor to send it on,
  // which is the caller's to close.
  struct Tail {
    int fd;
    bool shared;   // another process may read there
    bool closing;  // the last octets say that no more comes: they need to have been sent
    Bytes octets;
  };
  static std::vector<Tail> TakeTails();

  // --- fork (process.cc) ---
  static void BeforeFork();
  // `door`: where a child asks for the sessions that were its parent's (home.h). `counted`:
  // BeforeFork has been called, and a child is one that has them too.
  static void AfterFork(bool in_child, bool counted, int door);
  static bool IsDoor(int fd);

 private:
  struct Waiting;
  struct Plain;

  static void WaiterGone(void* waiting);
  static void PlainGone(void* plain);
  ssize_t ReceivePlain(int fd, const iovec* vectors, size_t count, size_t offset, int flags);
  ssize_t SendPlain(int fd, const iovec* vectors, size_t count, size_t offset, int flags);
  ssize_t ReceiveOwned(int fd, const iovec* vectors, size_t count, int flags);
  ssize_t ReceiveAtOnce(int fd, const iovec* vectors, size_t count, int flags, size_t least);
  ssize_t SendAll(int fd, const iovec* vectors, size_t count, size_t wanted, int flags);
  ssize_t AwaitOctets(int fd, size_t octets, int flags);
  bool AwaitWritable(int fd, int flags);
  int ShutDownEvent();
  int ShutDownReceiving(int fd);
  bool AwaitRoom(int fd, int flags);
  void TellOutcome();
  bool Own(ForkShare::Direction direction);
  int FollowDescriptor(int fd);
  bool Settle(bool hand_over);
  void AskHome();
  bool FetchStandIn(int old);
  bool HandOver(int old);
  bool Replace(const StandIn& ends, int old, SessionState* state);
  void SwapDescriptors(int stand_in, int old);
  static void ForgetAskers();
  bool HasMoreToSend(int fd) const;
  void ScheduleFlush(int fd);
  void LetGo(int fd);
  void SendClose(int fd);
  static void AwaitEnd();
  void End(int fd);
  void Clear();

  // Where this process stands among those that hold the session, if it is one that closes.
  enum class Holding : uint8_t {
    kCounted,    // it is one of them
    kLetGo,      // no longer
    kLast,       // nor is anybody else
    kUncounted,  // they do not know of it: a raw clone's
  };

  static inline constinit std::atomic<int> connecting_{0};
  static inline constinit std::atomic<int> sessions_{0};
  static inline constinit std::atomic<pid_t> ending_{0};  // the thread that ends the process
  static inline constinit std::atomic<int64_t> ending_until_{0};  // MonotonicNow() then
  static inline constinit std::atomic<bool> any_closes_{false};   // there has been one that closes_
  static inline constinit std::atomic<unsigned> detachments_{0};

  std::atomic<uint32_t> references_{0};
  std::atomic<int> descriptors_{0};
  std::atomic<Phase> phase_{Phase::kEnded};
  std::atomic<uint32_t> generation_{0};
  Phase outcome_phase_ = Phase::kFailed;  // what Conclude makes of it
  std::atomic<bool> framed_{false};
  std::atomic<int> error_{0};
  std::atomic<bool> success_untold_{false};
  std::atomic<bool> flush_scheduled_{false};  // the service has the tail
  Mutex state_;                               // guards the events and the change of phase_
  pthread_cond_t outcome_ = PTHREAD_COND_INITIALIZER;
  int outcome_event_ = -1;
  int shut_down_event_ = -1;       // for threads that wait to send; made when the first does
  Waiters waiters_;                // threads that wait in Receive or Send
  std::atomic<int> followed_{-1};  // a duplicate for those whose descriptor was closed meanwhile
  std::atomic<int> flush_fd_{-1};  // the service's duplicate, while it has the tail
  std::atomic<int> home_{-1};      // where to ask for it, if it is another process's
  std::atomic<bool> replacing_{false};  // from when descriptors are replaced, under state_
  std::atomic<ino_t> stand_in_{0};      // the plain socket in its place
  std::atomic<bool> detach_when_established_{false};
  std::atomic<bool> closes_{false};        // the peer is to be told of the end
  std::atomic<bool> sending_shut_{false};  // by shutdown(2)
  std::atomic<Holding> holding_{Holding::kCounted};
  SocketAddress detached_name_;
  Address destination_;
  SocketAddress peer_;
  std::unique_ptr<SecurityLayer> layer_;
  Receiver receiver_;
  BorrowedOptions options_{receiver_};
  Sender sender_;
  ForkShare share_;
  Connection* next_ = nullptr;       // in the pool's list of all
  Connection* next_free_ = nullptr;  // in the pool's list of those without references
  friend class ConnectionPool;
};

}  // namespace socksify

#endif  // SHIM_CONNECTION_H_
