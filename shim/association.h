// The UDP association of one of the application's sockets, and of its duplicates: whom it talks to
// through the server, and which stand-ins on loopback play them (lib/io/agent_protocol.h). The
// socket stays the kernel's, readiness and all.
//
// Made when a descriptor's socket may need one, and open once it has. Any thread; shared by forked
// children, each with a copy of what is known.
#ifndef SHIM_ASSOCIATION_H_
#define SHIM_ASSOCIATION_H_

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>

#include "lib/base/log.h"
#include "lib/io/socket_address.h"
#include "lib/wire/address.h"
#include "shim/agent_process.h"
#include "shim/mutex.h"

namespace socksify {

class Association {
 public:
  // Whom the program names, and as the server is to be asked for it.
  struct Peer {
    SocketAddress named;
    Address destination;
  };

  // Where the program has bound the socket to; it has not in most.
  enum class Bound : unsigned char { kNot, kWildcard, kAddress };
  void NoteBound(Bound bound) { bound_ = bound; }
  // The socket is another process's, too: so may be the association.
  void Inherit(int fd);

  // There is a channel: what comes may come from stand-ins.
  bool open() const { return open_.load(std::memory_order_acquire); }

  // The agent has said that the server relays, and nothing else since.
  bool settled() const { return settled_.load(std::memory_order_acquire); }

  // What `fd` is to send to, or to connect to, to reach the peer: if that is known and was so a
  // moment ago. `named` as AddressFromSockaddr() has it. Does not block.
  std::optional<SocketAddress> Known(const Address& named);

  // The same, asked of the agent; opens the association if need be, and binds the socket. With
  // `wait`, once the server relays. nullopt with errno, of the server's refusal for one, which is
  // reported at `level`.
  std::optional<SocketAddress> Reach(int fd, const Peer& peer, bool wait,
                                     LogLevel level = LogLevel::kWarn);

  // May so many octets go to the peer in one datagram? Blocks where that is not known yet.
  bool Fits(int fd, const Address& named, size_t count);
  // So many always do.
  static constexpr size_t kAlwaysFits = 60'000;

  // Whom the stand-in at `source` plays. nullopt: it is none, the datagram came from elsewhere.
  std::optional<SocketAddress> PeerAt(int fd, const SocketAddress& source);

  // The kernel has said ECONNREFUSED of the stand-in `fd` is connected to: connects it to another.
  // Returns the errno that the program is to be told; 0 for none, the call is to be made again.
  int Refused(int fd);

  // connect(2) of `fd` to a stand-in: it is remembered whom that plays, also when it has gone.
  int Connect(int fd, const SocketAddress& stand_in);
  // Connects `fd` anew to what plays its peer, which `stand_in` has done. As Reach().
  bool Reconnect(int fd, const SocketAddress& stand_in, bool wait, LogLevel level);

  // The socket is connected no more: the kernel may have taken its port away. It gets it back, or
  // the agent is told of another, before it is used again.
  void Dissolved();

  // What getsockname(2) is to say in place of `local`, the kernel's answer.
  SocketAddress LocalNameFor(int fd, const SocketAddress& local);

  // Null until the association is open.
  std::shared_ptr<AgentChannel> channel();

  static void BeforeFork() { mutex_.Lock(); }
  static void AfterFork(bool in_child) { in_child ? mutex_.Reinitialise() : mutex_.Unlock(); }
  void AfterForkInChild() { opening_.Reinitialise(); }

 private:
  using Key = std::array<uint8_t, 19>;  // an IPv4 or IPv6 address and a port

  struct StandIn {
    SocketAddress address;  // as a socket of the family has it
    Peer peer;
    size_t max_data = 0;  // 0: not known yet
    int64_t used_ms = 0;
  };

  void Moved(int fd);
  static Key KeyOf(const Address& address);
  std::shared_ptr<AgentChannel> Open(int fd, LogLevel level);
  void Adopt(const Address& own, std::shared_ptr<AgentChannel> channel);
  bool Check(const std::shared_ptr<AgentChannel>& channel, LogLevel level);
  std::optional<SocketAddress> Ask(int fd, const std::shared_ptr<AgentChannel>& channel,
                                   const Peer& peer, bool wait, LogLevel level);
  void SetChecked(int64_t now_ms);
  std::optional<Peer> Playing(const SocketAddress& stand_in);
  void Lose(const std::shared_ptr<AgentChannel>& channel);
  void ForgetStandIns();
  void DropStandIns();

  // Guards all but the atomic ones, of all associations, so that a fork finds them whole; taken
  // with QuietLock.
  static inline constinit Mutex mutex_;

  std::atomic<Bound> bound_{Bound::kNot};
  std::atomic<bool> open_{false};
  std::atomic<bool> settled_{false};
  Mutex opening_;  // held while the agent is asked for the association, signals blocked
  std::shared_ptr<AgentChannel> channel_;
  Address own_;                   // where the agent has the socket to be
  std::optional<Address> relay_;  // the server's, once it is known
  int64_t checked_ms_ = 0;        // when the agent said last that all is well; 0: not yet
  std::map<Key, StandIn> to_;     // by whom the program names
  Key connected_ = {};            // the stand-in that the socket is connected to
  std::map<Key, Peer> from_;      // by the stand-in's address: whom it plays
};

}  // namespace socksify

#endif  // SHIM_ASSOCIATION_H_
