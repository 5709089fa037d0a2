// Who may use a connection after fork(): parent and child hold the same session, and two processes
// must never go on with one security context (protocol.md section 1). The first to use a direction
// owns it; the other gets EIO. A child that only exits or closes takes nothing. At the next fork()
// the owner opens it again to itself and its new child, whose state is the newest: an earlier child
// is behind, and remains out.
//
// Where a session ends by a message of its own (SSL), only the last process to let go of it may say
// so: those that have it are counted. One that a signal has ended is not counted off, and the peer
// sees a truncation.
#ifndef SHIM_FORK_SHARE_H_
#define SHIM_FORK_SHARE_H_

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lib/base/bytes.h"

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
  // Would Own() be true? Claims nothing.
  bool CouldOwn(Direction direction) const;

  // Before fork(), in the parent: the child is one more that has it, and what the parent holds is
  // open to both again, but for what it is in the middle of: it has part of a frame to send, or a
  // thread that waits. `closes`: the session ends by a message of its own. False when no memory can
  // be shared: then both may not use it. One thread at a time in the whole process.
  bool Prepare(bool closes, bool keep_sending, bool keep_receiving);

  // May another process have the connection, too?
  bool shared() const { return words_.load(std::memory_order_acquire) != nullptr; }

  // --- sessions that close ---

  // Have others it, too, that have not let go?
  bool held_by_others() const;
  // This process lets go. True if it was the last.
  bool CountOff();
  // It has not let go, after all. False when it was the last.
  bool CountOn();
  // The last process has done with it: what was shared may be used for another session.
  void Forget();

  // What a process that could own kSend leaves when it lets go before others: the message, sealed,
  // for the last of them to send, whose state may be behind. Empty once another has owned kSend.
  // Small; what is too large is not kept.
  void Leave(ByteView message);
  ByteView left() const;

  void Reset();

 private:
  static constexpr size_t kMaxMessage = 108;
  static constexpr int kForgotten = -1;  // of `holders`: whoever made the words may use them again
  // A direction's word: in its lower half the owner's process number, 0 for nobody; in the upper
  // one how often an owner has opened it to a child.
  struct Words {
    std::atomic<uint64_t> direction[kDirections] = {};
  };
  struct ClosingWords : Words {  // of sessions that close
    std::atomic<int> holders{1};
    std::atomic<bool> leaving{false};  // somebody writes what follows
    std::atomic<uint64_t> left_at{0};  // kSend's word at that time
    std::atomic<size_t> message_size{0};
    uint8_t message[kMaxMessage] = {};
  };

  bool Claim(Direction direction);
  void Open(Direction direction);
  ClosingWords* closing() const {
    return static_cast<ClosingWords*>(words_.load(std::memory_order_acquire));
  }
  static Words* NewWords(bool closes);
  static ClosingWords* NewClosingWords();

  std::atomic<Words*> words_{nullptr};                // in memory that parent and child share
  std::atomic<uint32_t> openings_[kDirections] = {};  // that this process's state knows of
};

}  // namespace socksify

#endif  // SHIM_FORK_SHARE_H_
