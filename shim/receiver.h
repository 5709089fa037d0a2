// The incoming direction of a framed connection: opens frames, and keeps the kernel's answer true.
//
//   Readable in the kernel exactly when plaintext can be delivered.
//
// poll, select, epoll and SIGIO ask the kernel, not us. So octets are looked at with MSG_PEEK and
// taken out only when that is right for readiness:
//   - less than a frame has come: what is there is taken out, and SO_RCVLOWAT is set to the octets
//     still missing, so that the kernel reports the socket readable when the frame is whole (or at
//     EOF);
//   - plaintext is waiting: octets of its frame stay in the kernel until the plaintext is spent;
//   - less plaintext is waiting than the application's own SO_RCVLOWAT asks for: the kernel's is
//   set
//     to the octets that will have carried so much. Where they came in more frames than need be,
//     that is early, and whoever polls has the answer confirmed (IsReadable).
//
// A frame may carry no plaintext (a ticket, part of a TLS record): then the kernel has said
// readable too early, and whoever polls has the answer confirmed.
//
// The buffer is a window on the stream. Offsets: [base_, end_) is a copy of the head of the
// kernel's queue; octets before base_ have been taken out of it. pos_ is where the first unopened
// frame starts; what lies before it in the buffer is room for plaintext.
//
//   0 ... plain_begin_ .. plain_end_ ... base_ ......... pos_ .... end_
//         opened, not delivered          still in the kernel       (a frame may straddle base_)
//
// The end of a stream that its method ends by a message of its own is that message, and the kernel
// is told (SHUT_RD), so that it answers as after a FIN; a FIN without the message is ECONNRESET.
#ifndef SHIM_RECEIVER_H_
#define SHIM_RECEIVER_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "lib/io/session_state.h"
#include "lib/security/security_layer.h"
#include "shim/mutex.h"

namespace socksify {

class Receiver {
 public:
  // `layer` is borrowed and outlives this. `early` is plaintext that came before; the last `unread`
  // octets that have been dealt with are still in the kernel.
  void Start(SecurityLayer* layer, ByteView early, size_t unread, int fd);
  // Forgets everything and frees the buffer. `fd`, unless -1, gets its SO_RCVLOWAT back.
  void Reset(int fd);

  // Delivers plaintext behind the first `offset` octets of `vectors` as recv(2) does, without
  // waiting. `flags`: MSG_PEEK, MSG_TRUNC. Returns the octets delivered, 0 at the end of the stream
  // (or when there is plaintext and no room), or -1 with errno (EAGAIN: nothing yet).
  ssize_t Take(int fd, const iovec* vectors, size_t count, size_t offset, int flags);

  // 0 when `octets` of plaintext can be had (behind SO_PEEK_OFF, with MSG_PEEK in `flags`), or when
  // no more will be. Else how many octets the kernel's queue must hold before that may be so.
  size_t QueueNeeded(int fd, size_t octets, int flags);

  // SO_RCVLOWAT and SO_PEEK_OFF as the application has them.
  void SetLowWater(int fd, int octets);
  int low_water() const { return wanted_; }
  void SetPeekOffset(int offset);
  int peek_offset() const { return peek_offset_; }

  // How much plaintext can be delivered without waiting (FIONREAD); no more than fits the buffer.
  size_t Available(int fd);

  // Would poll(2) say so: could Take deliver as much as SO_RCVLOWAT asks for, the end or an error?
  bool IsReadable(int fd);

  // The application has been told that the connection is lost, by send(2) or SO_ERROR: what follows
  // what has come is no surprise then, and the end.
  void NoteLost() { lost_ = true; }

  // The program has let go of the connection, which may end in any way from now on; or has not,
  // after all.
  void LetGo(bool let_go) { let_go_ = let_go; }
  bool is_let_go() const { return let_go_; }

  void ShutDown() { shut_down_ = true; }
  bool is_shut_down() const { return shut_down_; }

  // Is there what close() leaves unread, so that the kernel answers it with a reset? Frames without
  // plaintext are nothing to read, and are taken out of the kernel. True also where another thread
  // is at work and does not come to an end. After LetGo.
  bool HasUnread(int fd);

  // The session leaves this process: puts what it needs elsewhere into `state`, and is as after
  // Reset. What has been opened leaves the kernel. The caller holds mutex().
  void HandOver(int fd, SessionState* state);

  Mutex& mutex() { return mutex_; }

 private:
  static constexpr size_t kNotCounted = SIZE_MAX;

  enum class Loaded {
    kFrame,    // a frame has been opened (or the window refilled)
    kNothing,  // not all of it has come
    kEnd,      // the end of the stream
    kError,    // pending_errno_ says which
  };

  ssize_t Peek(int fd, const iovec* vectors, size_t count, size_t wanted, int flags);
  Loaded Look(int fd, size_t octets);
  Loaded LoadFrame(int fd);             // plaintext is spent: opens the next frame
  Loaded OpenNext(int fd);              // opens the frame at pos_ if the window holds all of it
  void ExpectTwo(size_t first);         // that frame at pos_, and the next
  void Keep(ByteSpan opened);           // behind the plaintext that waits
  bool MakeRoom(size_t frame);          // for what that frame may open to
  Loaded Refill(int fd);                // looks at the kernel's queue anew
  size_t LikelyToOpen(int fd) const;    // how far it looks
  void Deepen(int fd, size_t wanted);   // opens further frames behind waiting plaintext
  void TakeOutSpent(int fd);            // takes what lies before pos_ out of the kernel
  void Settle(int fd, Loaded last);     // makes the kernel's answer true
  size_t Missing(size_t octets) const;  // behind pos_, for so much plaintext in all
  void SetKernelLowWater(int fd, size_t octets);
  void WriteKernelLowWater(int fd);
  void CountDown(int fd, size_t taken);  // from what Available said
  Loaded Fail(int fd, const Status& error);
  bool Allocate();
  void Clear();
  size_t plain() const { return plain_end_ - plain_begin_; }
  size_t wanted() const;
  ByteView window() const { return {buffer_.get() + pos_, end_ - pos_}; }

  Mutex mutex_;
  SecurityLayer* layer_ = nullptr;
  std::unique_ptr<uint8_t[]> buffer_;
  size_t plain_begin_ = 0, plain_end_ = 0;
  size_t base_ = 0, pos_ = 0, end_ = 0;
  size_t last_frame_ = 0;       // the size of the last that was looked at, 0 for none
  size_t low_water_ = 1;        // SO_RCVLOWAT as the kernel has it
  std::atomic<int> wanted_{1};  // and as the application has it
  std::atomic<int> peek_offset_{-1};
  bool full_ = false;  // the window holds all that it can, and no more plaintext can be opened
  size_t counted_ = kNotCounted;  // what is left of Available's answer
  std::atomic<bool> shut_down_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> let_go_{false};
  int pending_errno_ = 0;  // to be reported by the next Take
  bool failed_ = false;    // and reported: from now on it is the end of the stream
};

}  // namespace socksify

#endif  // SHIM_RECEIVER_H_
