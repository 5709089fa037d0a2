// While a Guard lives, calls of its thread pass the shim by: the core, the resolver and libkrb5 use
// sockets of their own, which must reach the KDC and the SOCKS server directly.
#ifndef SHIM_GUARD_H_
#define SHIM_GUARD_H_

namespace socksify {

class Guard {
 public:
  Guard() { ++depth_; }
  ~Guard() { --depth_; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  static bool active() { return depth_ != 0; }

 private:
  static inline thread_local constinit unsigned depth_ = 0;
};

}  // namespace socksify

#endif  // SHIM_GUARD_H_
