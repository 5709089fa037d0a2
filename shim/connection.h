// One proxied TCP connection of the application: its descriptor is the application's own socket,
// connected to the SOCKS server.
//
//   kConnecting -> kEstablished | kFailed -> (last descriptor gone) kEnded
//
// Counted; the memory of a Connection is never given back to the allocator, only used again, so that a
// stale pointer can safely be asked for a reference (descriptor_table.h).
#ifndef SHIM_CONNECTION_H_
#define SHIM_CONNECTION_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <memory>
#include <string>

#include "lib/io/socket_address.h"
#include "lib/security/security_layer.h"
#include "shim/attempt.h"
#include "shim/connection_ref.h"
#include "shim/fork_share.h"
#include "shim/mutex.h"
#include "shim/receiver.h"
#include "shim/sender.h"

namespace socksify {

class Connection {
 public:
  enum class Phase : uint8_t { kConnecting, kEstablished, kFailed, kEnded };

  // A new connection in kConnecting. `destination` is what the server is asked for, `peer` what the
  // application named, which getpeername() answers.
  static ConnectionRef New(const Address& destination, const SocketAddress& peer);

  // --- references and descriptors ----------------------------------------------------------------
  bool TryRef();
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();
  void GainDescriptor() { descriptors_.fetch_add(1); }
  // A descriptor of it goes. `fd` is that number, still open, or -1. With the last one the connection
  // ends; a tail that is not out yet goes to the service first.
  static void LoseDescriptor(ConnectionRef connection, int fd);

  // --- being connected ---------------------------------------------------------------------------
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  // Is any connection of this process kConnecting? A load.
  static bool AnyConnecting() { return connecting_.load(std::memory_order_acquire) != 0; }
  // Octets pass through the shim's hands, in frames.
  bool framed() const { return framed_.load(std::memory_order_acquire); }

  std::unique_ptr<Attempt> attempt;  // while kConnecting: of whoever drives it

  // The attempt has ended: takes its outcome over, tells everybody who waits.
  void Finish(int fd, Attempt::Next outcome);
  // Waits until it is no longer kConnecting. False with errno EINTR.
  bool AwaitOutcome();
  // An eventfd that is readable from the outcome on; -1 with errno. Lives as long as a reference.
  int OutcomeEvent();

  // SO_ERROR: the outcome of a failed connect(), once.
  int TakeError() { return error_.exchange(0); }
  // The first connect() after a non-blocking one learns of its success; later ones say EISCONN.
  bool TakeSuccess() { return success_untold_.exchange(false); }
  void TellSuccess() { success_untold_ = false; }

  const Address& destination() const { return destination_; }
  const SocketAddress& peer() const { return peer_; }

  // --- octets, once established and framed ---------------------------------------------------------
  // As recvmsg(2) and sendmsg(2) on a stream socket. They wait where a blocking socket does.
  ssize_t Receive(int fd, const iovec* vectors, size_t count, int flags);
  ssize_t Send(int fd, const iovec* vectors, size_t count, int flags);
  int ShutDown(int fd, int how);
  size_t Available(int fd) { return receiver_.Available(fd); }
  // SO_RCVLOWAT as the application set it; the kernel's is the receiver's.
  int low_water() const { return low_water_; }
  void set_low_water(int octets) { low_water_ = octets <= 0 ? 1 : octets; }
  // For the service: writes the tail. True while some of it is left.
  bool FlushTail(int fd);

  // --- fork (process.cc) ---------------------------------------------------------------------------
  static void BeforeFork();
  static void AfterFork(bool in_child);

 private:
  bool Own(ForkShare::Direction direction);
  void ScheduleFlush(int fd);
  void End(int fd);
  void Clear();

  static inline constinit std::atomic<int> connecting_{0};

  std::atomic<uint32_t> references_{0};
  std::atomic<int> descriptors_{0};
  std::atomic<Phase> phase_{Phase::kEnded};
  std::atomic<bool> framed_{false};
  std::atomic<int> error_{0};
  std::atomic<bool> success_untold_{false};
  std::atomic<int> low_water_{1};
  std::atomic<bool> flush_scheduled_{false};  // the service has the tail
  Mutex state_;  // guards outcome_event_ and the change of phase_
  pthread_cond_t outcome_ = PTHREAD_COND_INITIALIZER;
  int outcome_event_ = -1;
  Address destination_;
  SocketAddress peer_;
  std::unique_ptr<SecurityLayer> layer_;
  Receiver receiver_;
  Sender sender_;
  ForkShare share_;
  Connection* next_ = nullptr;      // in the pool's list of all
  Connection* next_free_ = nullptr;  // in the pool's list of those without references
  friend class ConnectionPool;
};

}  // namespace socksify

#endif  // SHIM_CONNECTION_H_
