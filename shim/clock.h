// The time that waits are measured by.
#ifndef SHIM_CLOCK_H_
#define SHIM_CLOCK_H_

#include <cstdint>
#include <ctime>

namespace socksify {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// CLOCK_MONOTONIC, in nanoseconds.
inline int64_t MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

}  // namespace socksify

#endif  // SHIM_CLOCK_H_
