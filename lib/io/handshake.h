// Drives a ClientEngine over a connected TCP socket, stepwise or to its end.
#ifndef LIB_IO_HANDSHAKE_H_
#define LIB_IO_HANDSHAKE_H_

#include <poll.h>
#include <sys/types.h>

#include <chrono>

#include "lib/engine/client_engine.h"

namespace socksify {

// The calls this room makes. The shim passes libc's own, past its interposed ones.
struct SocketCalls {
  ssize_t (*recv)(int fd, void* octets, size_t count, int flags);
  ssize_t (*send)(int fd, const void* octets, size_t count, int flags);
  int (*poll)(pollfd* fds, nfds_t count, int timeout_ms);
};
extern const SocketCalls kLibcSocketCalls;

using Deadline = std::chrono::steady_clock::time_point;

// What a step waits for, or that the handshake has ended: then the engine is kEstablished or
// kFailed.
enum class HandshakeStep : unsigned char { kWantRead, kWantWrite, kEnded };

class Handshake {
 public:
  // Borrows all of it. `engine` has been prepared; `fd` is connected, blocking or not.
  Handshake(const SocketCalls& calls, int fd, ClientEngine& engine)
      : calls_(calls), fd_(fd), engine_(engine) {}

  // Goes on as far as the socket allows; never blocks.
  HandshakeStep Step();

  // Runs Step until the end, or the deadline (kTimeout). Blocks. A signal does not end it.
  Status Run(Deadline deadline);

  // Why it failed: the engine's error, or the socket's.
  const Status& error() const { return error_.ok() ? engine_.error() : error_; }
  bool established() const {
    return error_.ok() && engine_.state() == ClientEngine::State::kEstablished;
  }

  // Once established: how many octets of the last message are still in the kernel (1), so that a
  // caller whose engine has early data can keep the socket readable. They are spent; discard them
  // before reading what follows.
  size_t unread() const { return unread_; }

 private:
  bool SendOutput();  // false: the socket takes no more now
  bool ReadWanted();  // false: nothing has come
  void FailWithErrno(const char* what);

  const SocketCalls calls_;
  const int fd_;
  ClientEngine& engine_;
  Status error_;
  size_t unread_ = 0;
};

// Milliseconds until `deadline` for poll(2): at least 0, rounded up.
int MillisecondsUntil(Deadline deadline);

}  // namespace socksify

#endif  // LIB_IO_HANDSHAKE_H_
