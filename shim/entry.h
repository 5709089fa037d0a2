// What the interposed functions share. Each is a few lines: look the descriptor up; not ours: the
// real call; else delegate.
#ifndef SHIM_ENTRY_H_
#define SHIM_ENTRY_H_

#include <cerrno>

#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/process.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace socksify {

// Success leaves errno alone: put back what the work inside has left there.
class ErrnoKeeper {
 public:
  template <typename Integer>
  Integer Return(Integer result) const {
    if (result >= 0) errno = saved_;
    return result;
  }

 private:
  const int saved_ = errno;
};

inline int FailWith(int error) {
  errno = error;
  return -1;
}

// How a call that moves octets on a connection's descriptor is to be served.
enum class Path : unsigned char {
  kReal,   // by the kernel: not framed, or not connected
  kOurs,   // through the session
  kError,  // errno is set
};
// Waits for a connection in progress where the socket and `flags` (MSG_DONTWAIT) say so.
Path PathFor(Connection& connection, int fd, int flags);

}  // namespace socksify

#endif  // SHIM_ENTRY_H_
