// Socket options that a session needs for itself while it lasts: the kernel's socket has the
// session's values, and the application reads and sets its own here.
//
// Set before connect() they are the kernel's; Borrow() takes them over, GiveBack() returns them
// when the socket is not connected any more, or turns out to carry no frames.
#ifndef SHIM_BORROWED_OPTIONS_H_
#define SHIM_BORROWED_OPTIONS_H_

#include <sys/socket.h>

#include <atomic>

#include "shim/receiver.h"

namespace socksify {

class BorrowedOptions {
 public:
  // `receiver` keeps SO_RCVLOWAT and SO_PEEK_OFF, and outlives this.
  explicit BorrowedOptions(Receiver& receiver) : receiver_(receiver) {}

  // The socket is about to be connected to the server. False with errno when something is set on it
  // that a session cannot live with: the kernel would judge, or alter, what it cannot read.
  bool Borrow(int fd);
  // A framed session begins: the kernel must be able to hold a whole frame, or it could not say
  // that one is there.
  void MakeRoomForFrames(int fd);
  void GiveBack(int fd);
  // Another socket takes the place of `old`, and has its other options already.
  void MoveTo(int fd, int old);
  void Forget();

  static bool IsBorrowed(int level, int option) {
    return level == SOL_SOCKET &&
           (option == SO_RCVLOWAT || option == SO_PEEK_OFF || option == SO_RCVBUF);
  }

  enum class Answer : unsigned char { kPass, kDone, kFailed };
  // setsockopt(2) while they are borrowed. kPass: the kernel's to do; kFailed: errno says why.
  Answer Set(int fd, int level, int option, const void* value, socklen_t length);
  // What getsockopt(2) answers in the place of the kernel's `value`. False: as the kernel says.
  bool Get(int level, int option, int* value) const;

  bool zero_copy() const { return zero_copy_; }  // SO_ZEROCOPY was set before connect()
  bool reports() const { return reports_; }      // the kernel has control data for what is received

 private:
  void SetTheApplications(int fd);
  Answer SetReceiveBuffer(int fd, int option, const void* value, socklen_t length);

  Receiver& receiver_;
  std::atomic<bool> borrowed_{false};
  std::atomic<bool> corked_{false};
  std::atomic<bool> fast_open_{false};
  std::atomic<bool> zero_copy_{false};
  std::atomic<bool> reports_{false};
  std::atomic<int> receive_buffer_{0};  // SO_RCVBUF, where the kernel's had to be larger; else 0
};

}  // namespace socksify

#endif  // SHIM_BORROWED_OPTIONS_H_
