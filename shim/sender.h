// The outgoing direction of a framed connection: seals and writes frames.
//
// What is accepted is sealed at once. The tail that the kernel does not take stays here, two
// frames at most, and goes out before anything else: with the next call, or by the service
// thread, also after close() and at exit.
#ifndef SHIM_SENDER_H_
#define SHIM_SENDER_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>

#include "lib/io/session_state.h"
#include "lib/security/security_layer.h"
#include "shim/mutex.h"

namespace socksify {

class Sender {
 public:
  void Start(SecurityLayer* layer);  // `layer` is borrowed and outlives this
  void Reset();

  // Accepts octets behind the first `offset` of `vectors` as send(2) does, without waiting: as many
  // frames as the kernel takes, the last ones perhaps in part. `flags`: MSG_MORE. Never a signal.
  // Returns the octets accepted (at least 1) or -1 with errno (EAGAIN: an earlier frame is in the
  // way).
  ssize_t Put(int fd, const iovec* vectors, size_t count, size_t offset, int flags);

  // Writes the tail. 0 when nothing is left, -1 with errno.
  int Flush(int fd);
  bool shut_down() const { return shut_down_.load(std::memory_order_acquire); }
  bool has_tail() const { return has_tail_.load(std::memory_order_acquire); }

  // No more octets will be accepted; the kernel is told once the tail is out. As shutdown(SHUT_WR).
  int ShutDown(int fd);

  // The connection goes: no more octets will be accepted, and the peer is told where its method has
  // a message for that, behind the tail. What the kernel does not take is the tail then. A FIN goes
  // along: should the kernel reset the connection after all, the message is out.
  void Close(int fd);
  // The same for whoever holds the connection longer than this process: the message, sealed.
  Bytes SealClose();
  // Sends what that other process has sealed.
  void SendSealed(int fd, ByteView frames);

  // The session leaves this process: puts what it needs elsewhere into `state`, and is as after
  // Reset. The caller holds mutex().
  void HandOver(SessionState* state);

  // In a forked child: the tail is the parent's to send. No lock.
  void ForgetTail();
  // At exit: what the kernel does not take of the tail now is the caller's to send. Waits a
  // moment for another thread that is sending, and no longer: the exit may have stopped it.
  Bytes TakeTailAtExit(int fd);
  // Close() has been called, and is not to be undone by what comes while the kernel still sends.
  bool closing() const { return closing_.load(std::memory_order_acquire); }

  Mutex& mutex() { return mutex_; }

 private:
  ssize_t SealSome(int fd, const iovec* vectors, size_t count, size_t offset, size_t frames);
  int FlushLocked(int fd, int flags);
  void SealEnd();
  void FlushClose(int fd);
  void DropTail();
  void Clear();

  Mutex mutex_;
  SecurityLayer* layer_ = nullptr;
  Bytes frames_;  // sealed; octets from sent_ on are the tail
  size_t sent_ = 0;
  std::atomic<bool> has_tail_{false};
  std::atomic<bool> shut_down_{false};  // the FIN is due behind the tail
  std::atomic<bool> closing_{false};
  bool ended_ = false;    // ShutDown has been called, or Close
  int broken_errno_ = 0;  // sealing or writing failed inside a frame: nothing more can go out
};

}  // namespace socksify

#endif  // SHIM_SENDER_H_
