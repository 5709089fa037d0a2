#include "shim/borrowed_options.h"

#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>

#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

// In the kernel, and not in every libc's headers.
constexpr int kTcpInq = 36;

int Option(int fd, int level, int option) {  // 0 where there is none
  int value = 0;
  socklen_t size = sizeof value;
  return real::getsockopt(fd, level, option, &value, &size) == 0 ? value : 0;
}

void SetOption(int fd, int level, int option, int value) {
  (void)real::setsockopt(fd, level, option, &value, sizeof value);
}

bool IsReport(int level, int option) {
  if (level == IPPROTO_TCP) return option == kTcpInq;
  if (level != SOL_SOCKET) return false;
  switch (option) {
    case SO_TIMESTAMP_OLD:
    case SO_TIMESTAMP_NEW:
    case SO_TIMESTAMPNS_OLD:
    case SO_TIMESTAMPNS_NEW:
    case SO_TIMESTAMPING_OLD:
    case SO_TIMESTAMPING_NEW:
      return true;
    default:
      return false;
  }
}

bool HasFilter(int fd) {
  socklen_t instructions = 0;
  return real::getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, nullptr, &instructions) != 0
             ? errno == EACCES  // an eBPF program, which cannot be read
             : instructions != 0;
}

}  // namespace

bool BorrowedOptions::Borrow(int fd) {
  if (HasFilter(fd)) {
    ReportOnce("a socket with a packet filter cannot be wrapped: it would judge protected octets");
    errno = EACCES;
    return false;
  }
  if (borrowed_.exchange(true)) return true;
  if (int octets = Option(fd, SOL_SOCKET, SO_RCVLOWAT); octets > 1) {
    receiver_.SetLowWater(fd, octets);
    SetOption(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
  }
  int offset = -1;
  socklen_t size = sizeof offset;
  if (real::getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0 && offset != -1) {
    receiver_.SetPeekOffset(offset);
    SetOption(fd, SOL_SOCKET, SO_PEEK_OFF, -1);
  }
  corked_ = Option(fd, IPPROTO_TCP, TCP_CORK) != 0;  // the negotiation would wait 200 ms a step
  if (corked_) SetOption(fd, IPPROTO_TCP, TCP_CORK, 0);
  // The first octets to the server are the shim's: a connect() that only pretends would not do.
  fast_open_ = Option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT) != 0;
  if (fast_open_) SetOption(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0);
  zero_copy_ = Option(fd, SOL_SOCKET, SO_ZEROCOPY) != 0;
  if (zero_copy_) SetOption(fd, SOL_SOCKET, SO_ZEROCOPY, 0);
  reports_ = Option(fd, SOL_SOCKET, SO_TIMESTAMP_OLD) != 0 ||
             Option(fd, SOL_SOCKET, SO_TIMESTAMPNS_OLD) != 0 ||
             Option(fd, SOL_SOCKET, SO_TIMESTAMPING_OLD) != 0 ||
             Option(fd, IPPROTO_TCP, kTcpInq) != 0;
  return true;
}

void BorrowedOptions::MakeRoomForFrames(int fd) {
  constexpr int kEnough = 128 * 1024;  // the kernel's default, which grows: leave that alone
  const int size = Option(fd, SOL_SOCKET, SO_RCVBUF);
  if (corked_.exchange(false)) SetOption(fd, IPPROTO_TCP, TCP_CORK, 1);
  if (size == 0 || size >= kEnough) return;
  SetOption(fd, SOL_SOCKET, SO_RCVBUF, kEnough);
  receive_buffer_ = size;
}

void BorrowedOptions::SetTheApplications(int fd) {
  if (int octets = receiver_.low_water(); octets != 1)
    SetOption(fd, SOL_SOCKET, SO_RCVLOWAT, octets);
  if (int offset = receiver_.peek_offset(); offset != -1)
    SetOption(fd, SOL_SOCKET, SO_PEEK_OFF, offset);
  if (corked_) SetOption(fd, IPPROTO_TCP, TCP_CORK, 1);
  if (zero_copy_) SetOption(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
}

void BorrowedOptions::GiveBack(int fd) {
  if (!borrowed_.exchange(false) || fd < 0) return;
  SetTheApplications(fd);
  if (fast_open_) SetOption(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
  if (int size = receive_buffer_; size != 0) SetOption(fd, SOL_SOCKET, SO_RCVBUF, size / 2);
  Forget();
}

void BorrowedOptions::MoveTo(int fd, int old) {
  if (!borrowed_.exchange(false)) return;
  SetTheApplications(fd);
  SetOption(old, IPPROTO_TCP, TCP_CORK, 0);  // the relay has whole frames to send
  Forget();
}

void BorrowedOptions::Forget() {
  borrowed_ = corked_ = fast_open_ = zero_copy_ = reports_ = false;
  receive_buffer_ = 0;
}

BorrowedOptions::Answer BorrowedOptions::Set(int fd, int level, int option, const void* value,
                                             socklen_t length) {
  auto fail = [](int error) {
    errno = error;
    return Answer::kFailed;
  };
  if (!borrowed_) return Answer::kPass;
  if (IsReport(level, option)) {
    reports_ = true;
    return Answer::kPass;
  }
  if (level == IPPROTO_TCP) {
    switch (option) {
      case TCP_FASTOPEN_CONNECT:
        return fail(EINVAL);  // what the kernel says once connect() has been called
      case TCP_ULP:
        return fail(EOPNOTSUPP);  // it would encrypt what goes to the SOCKS server
      case TCP_REPAIR:
        return fail(EPERM);  // what it would read and set is the session's
      default:
        return Answer::kPass;
    }
  }
  if (level != SOL_SOCKET) return Answer::kPass;
  switch (option) {
    case SO_ATTACH_FILTER:  // a filter would judge protected octets
    case SO_ATTACH_BPF:
    case SO_ZEROCOPY:  // what the kernel would keep is not what goes out
      return fail(EOPNOTSUPP);
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      return SetReceiveBuffer(fd, option, value, length);
    case SO_RCVLOWAT:
    case SO_PEEK_OFF: {
      if (length < sizeof(int)) return fail(EINVAL);
      if (!IsReadable(value, sizeof(int))) return fail(EFAULT);
      int number;
      memcpy(&number, value, sizeof number);
      if (option == SO_RCVLOWAT) {
        receiver_.SetLowWater(fd, number);
      } else {
        receiver_.SetPeekOffset(number);
      }
      return Answer::kDone;
    }
    default:
      return Answer::kPass;
  }
}

// The kernel checks and rounds the value; what it then reads as is what the application reads.
BorrowedOptions::Answer BorrowedOptions::SetReceiveBuffer(int fd, int option, const void* value,
                                                          socklen_t length) {
  if (real::setsockopt(fd, SOL_SOCKET, option, value, length) != 0) return Answer::kFailed;
  receive_buffer_ = 0;
  MakeRoomForFrames(fd);
  return Answer::kDone;
}

bool BorrowedOptions::Get(int level, int option, int* value) const {
  if (!borrowed_) return false;
  if (level == IPPROTO_TCP && option == TCP_FASTOPEN_CONNECT) {
    *value = fast_open_ ? 1 : 0;
    return true;
  }
  if (level != SOL_SOCKET) return false;
  switch (option) {
    case SO_RCVLOWAT:
      *value = receiver_.low_water();
      return true;
    case SO_PEEK_OFF:
      *value = receiver_.peek_offset();
      return true;
    case SO_ZEROCOPY:
      *value = zero_copy_ ? 1 : 0;
      return true;
    case SO_RCVBUF:
      *value = receive_buffer_;
      return receive_buffer_ != 0;
    default:
      return false;
  }
}

}  // namespace socksify
