// The time that waits are measured by.
#ifndef SHIM_CLOCK_H_
#define SHIM_CLOCK_H_

#include <algorithm>
#include <cstdint>
#include <ctime>

namespace socksify {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;

// CLOCK_MONOTONIC, in nanoseconds.
inline int64_t MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

// What is left of recvmmsg's time, which is looked at after each message and ends no wait.
class Remaining {
 public:
  explicit Remaining(timespec* timeout) : timeout_(timeout) {
    if (timeout_ != nullptr)
      end_ = MonotonicNow() + timeout_->tv_sec * kNanosecondsPerSecond + timeout_->tv_nsec;
  }
  bool IsOver() {
    if (timeout_ == nullptr) return false;
    const int64_t left = std::max<int64_t>(0, end_ - MonotonicNow());
    *timeout_ = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
    return left == 0;
  }

 private:
  timespec* const timeout_;
  int64_t end_ = 0;
};

}  // namespace socksify

#endif  // SHIM_CLOCK_H_
