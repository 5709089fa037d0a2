// Who may use a connection after fork(): parent and child hold the same session, and two processes
// must never go on with one security context (protocol.md section 1). The first to use a direction
// owns it; the other gets EIO. A child that only exits or closes takes nothing.
#ifndef SHIM_FORK_SHARE_H_
#define SHIM_FORK_SHARE_H_

#include <sys/types.h>

#include <atomic>

namespace socksify {

class ForkShare {
 public:
  enum Direction { kReceive, kSend, kDirections };

  // May this process use the direction? Claims it if nobody has. Costs a load while no fork
  // happened.
  bool Own(Direction direction) {
    return words_.load(std::memory_order_acquire) == nullptr || Claim(direction);
  }

  // Does it own the direction already, or is there nobody to share with? Claims nothing.
  bool Owns(Direction direction) const;

  // Before fork(), in the parent: what the parent holds is open to both again, but for what it is
  // in the middle of: it has part of a frame to send, or a thread that waits. False when no memory
  // can be shared: then both may not use it.
  bool Prepare(bool keep_sending, bool keep_receiving);

  // May another process have the connection, too?
  bool shared() const { return words_.load(std::memory_order_acquire) != nullptr; }

  void Reset() { words_ = nullptr; }

 private:
  struct Words {
    std::atomic<pid_t> owner[kDirections];
  };

  bool Claim(Direction direction);

  std::atomic<Words*> words_{nullptr};  // in memory that parent and child share; never freed
};

}  // namespace socksify

#endif  // SHIM_FORK_SHARE_H_
