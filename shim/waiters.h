// The threads that wait in the kernel for one connection's socket, and how to make them look again.
//
// When a stand-in takes the descriptor's place (stand_in.h), a call that is under way keeps the
// socket it began with. So each such thread is interrupted by the signal that glibc keeps for
// pthread_cancel: no program can see, block or handle it, its handler does nothing unless
// pthread_cancel sent it, and it restarts calls. The restarted call finds the stand-in.
#ifndef SHIM_WAITERS_H_
#define SHIM_WAITERS_H_

#include <sys/types.h>

#include <array>
#include <atomic>

namespace socksify {

class Waiters {
 public:
  // This thread is about to wait; Leave with what Enter returned once it has. Signal handlers
  // included: a thread has one place, its outermost call's. A jump out of a handler leaves it taken
  // if the signal's stack lies among the thread's own frames: glibc sees no call left then.
  int Enter();
  void Leave(int place);
  bool any() const { return count_.load(std::memory_order_acquire) != 0; }
  // Any but this thread, whose own place is that of a call which its signal handler has
  // interrupted.
  bool AnyOther() const;

  // Interrupts all of them but this thread.
  void Interrupt() const;

  // In a forked child none of them lives.
  void Reset();

 private:
  static constexpr int kPlaces = 16;  // beyond them every thread of the process is interrupted
  static constexpr int kUnplaced = -1;
  static constexpr int kAlreadyThere = -2;

  int PlacesOf(pid_t thread) const;

  std::atomic<int> count_{0};
  std::atomic<int> unplaced_{0};
  std::array<std::atomic<pid_t>, kPlaces> threads_{};
};

}  // namespace socksify

#endif  // SHIM_WAITERS_H_
