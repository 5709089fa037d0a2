#include "shim/entry.h"

#include <fcntl.h>

#include "shim/real_calls.h"

namespace socksify {

Path PathFor(Connection& connection, int fd, int flags) {
  if (connection.phase() == Connection::Phase::kConnecting) {
    if ((flags & MSG_DONTWAIT) != 0 || (real::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
      errno = EAGAIN;
      return Path::kError;
    }
    if (!connection.AwaitOutcome(-1)) return Path::kError;
  }
  switch (connection.phase()) {
    case Connection::Phase::kEstablished:
      return connection.framed() ? Path::kOurs : Path::kReal;
    case Connection::Phase::kFailed:
      if (int error = connection.TakeError(fd); error != 0) {
        errno = error;
        return Path::kError;
      }
      return Path::kReal;
    case Connection::Phase::kEnded:
      errno = EBADF;
      return Path::kError;
    default:
      return Path::kReal;
  }
}

}  // namespace socksify
