// While a Guard lives, calls of its thread pass the shim by: the core, the resolver and libkrb5 use
// sockets of their own, which must reach the KDC and the SOCKS server directly.
//
// No signal handler of the application runs meanwhile: what it does would pass the shim too, and a
// jump out of it would leave the guard behind.
#ifndef SHIM_GUARD_H_
#define SHIM_GUARD_H_

#include "shim/signals.h"

namespace socksify {

class Guard {
 public:
  Guard() { ++depth_; }   // after signals_ has blocked them
  ~Guard() { --depth_; }  // before signals_ lets them in again
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  static bool active() { return depth_ != 0; }

 private:
  static inline thread_local constinit unsigned depth_ = 0;
  const SignalsBlocked signals_;
};

}  // namespace socksify

#endif  // SHIM_GUARD_H_
