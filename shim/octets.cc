#include "shim/octets.h"

#include <limits.h>
#include <netinet/tcp.h>

#include <cstring>

#include "shim/clock.h"
#include "shim/entry.h"
#include "shim/real_calls.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

// What the kernel would check before it begins: the vectors themselves, where the program has made
// them, and what they say. `check` looks at the memory of one.
bool CheckArray(const iovec* vectors, size_t count) {
  if (count == 0 || IsReadable(vectors, count * sizeof *vectors)) return true;
  errno = EFAULT;
  return false;
}

template <typename Check>
bool CheckVectors(const iovec* vectors, size_t count, Check check) {
  for (size_t i = 0; i < count; ++i) {
    if (vectors[i].iov_len > SSIZE_MAX) {
      errno = EINVAL;
      return false;
    }
    if (!check(vectors[i].iov_base, vectors[i].iov_len)) {
      errno = EFAULT;
      return false;
    }
  }
  return true;
}

// A large buffer may be said to be larger than it is, as long as less comes: of such a one the
// receiver looks at what it writes.
bool IsWritableToBeginWith(void* memory, size_t size) {
  constexpr size_t kLarge = 4096;
  return IsWritable(memory, size > kLarge ? 1 : size);
}

// Has the kernel judge address and control data, with nothing to send.
bool CheckMessage(int fd, const void* address, socklen_t length, void* control,
                  size_t control_length) {
  if ((address == nullptr || length == 0) && control_length == 0) return true;
  msghdr nothing = {};
  nothing.msg_name = const_cast<void*>(address);
  nothing.msg_namelen = length;
  nothing.msg_control = control;
  nothing.msg_controllen = control_length;
  return real::sendmsg(fd, &nothing, MSG_NOSIGNAL | MSG_DONTWAIT) == 0 || errno == EPIPE;
}

// The control data of the octets that come next, which the application has asked for: when they
// came (SO_TIMESTAMP), how many are there (TCP_INQ). An octet of them is in the kernel still.
bool ReceiveReports(int fd, msghdr* message) {
  msghdr reports = {};
  uint8_t octet;
  iovec vector = {&octet, 1};
  reports.msg_iov = &vector;
  reports.msg_iovlen = 1;
  reports.msg_control = message->msg_control;
  reports.msg_controllen = message->msg_controllen;
  if (real::recvmsg(fd, &reports, MSG_PEEK | MSG_DONTWAIT) < 0) return false;
  message->msg_controllen = reports.msg_controllen;
  message->msg_flags = reports.msg_flags & MSG_CTRUNC;
  return true;
}

// The kernel has counted protected octets.
void CorrectCount(Connection& connection, int fd, msghdr* message) {
  constexpr int kTcpCmInq = 36;
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != IPPROTO_TCP || at->cmsg_type != kTcpCmInq) continue;
    const int available = static_cast<int>(connection.Available(fd));
    memcpy(CMSG_DATA(at), &available, sizeof available);
  }
}

}  // namespace

ssize_t ReceiveOn(Connection& connection, int fd, const iovec* vectors, size_t count, int flags) {
  ErrnoKeeper keeper;
  if ((flags & MSG_OOB) != 0) return FailWith(EINVAL);  // no urgent data crosses a SOCKS server
  if ((flags & MSG_ERRQUEUE) != 0) return FailWith(EAGAIN);
  const bool discard = (flags & MSG_TRUNC) != 0;
  if (!discard && !CheckVectors(vectors, count, &IsWritableToBeginWith)) return -1;
  return keeper.Return(connection.Receive(fd, vectors, count, flags));
}

ssize_t SendOn(Connection& connection, int fd, const iovec* vectors, size_t count, int flags) {
  ErrnoKeeper keeper;
  if ((flags & MSG_OOB) != 0) return FailWith(EOPNOTSUPP);
  // There will be no completion to wait for: the caller goes on with a copying send.
  if ((flags & MSG_ZEROCOPY) != 0 && connection.options().zero_copy()) return FailWith(ENOBUFS);
  if (!CheckVectors(vectors, count, &IsReadable)) return -1;
  return keeper.Return(connection.Send(fd, vectors, count, flags));
}

ssize_t ReadOn(Connection& connection, int fd, const iovec* vectors, int count, int flags) {
  if (count < 0 || count > IOV_MAX) return FailWith(EINVAL);
  if (!CheckArray(vectors, static_cast<size_t>(count))) return -1;
  size_t room = 0;
  if (!CheckVectors(vectors, static_cast<size_t>(count), &IsWritableToBeginWith)) return -1;
  for (int i = 0; i < count; ++i) room += vectors[i].iov_len;
  return room == 0 ? 0 : ReceiveOn(connection, fd, vectors, static_cast<size_t>(count), flags);
}

ssize_t WriteOn(Connection& connection, int fd, const iovec* vectors, int count, int flags) {
  if (count < 0 || count > IOV_MAX) return FailWith(EINVAL);
  if (!CheckArray(vectors, static_cast<size_t>(count))) return -1;
  return SendOn(connection, fd, vectors, static_cast<size_t>(count), flags);
}

ssize_t ReceiveFrom(Connection& connection, int fd, const iovec& vector, int flags,
                    const sockaddr* address, socklen_t* length) {
  const ssize_t received = ReceiveOn(connection, fd, &vector, 1, flags);
  if (received < 0 || address == nullptr) return received;
  if (!IsWritable(length, sizeof *length)) return FailWith(EFAULT);
  if (*length > INT_MAX) return FailWith(EINVAL);
  *length = 0;
  return received;
}

ssize_t ReceiveMessage(Connection& connection, int fd, msghdr* message, int flags) {
  if (!IsWritable(message, sizeof *message)) return FailWith(EFAULT);
  if (message->msg_iovlen > IOV_MAX) return FailWith(EMSGSIZE);
  if (message->msg_name != nullptr && message->msg_namelen > INT_MAX) return FailWith(EINVAL);
  if (!CheckArray(message->msg_iov, message->msg_iovlen)) return -1;
  bool reported = false;
  if (connection.options().reports()) {
    uint8_t octet;
    iovec one = {&octet, 1};
    const ssize_t there = connection.Receive(fd, &one, 1, flags | MSG_PEEK | MSG_TRUNC);
    reported = there > 0 && ReceiveReports(fd, message);
  }
  ssize_t received = ReceiveOn(connection, fd, message->msg_iov, message->msg_iovlen, flags);
  if (received < 0) return received;
  if (!reported) message->msg_controllen = 0, message->msg_flags = 0;
  if (reported) CorrectCount(connection, fd, message);
  message->msg_flags |= flags & MSG_CMSG_CLOEXEC;  // as the kernel, which forgets to take it out
  message->msg_namelen = 0;
  return received;
}

int ReceiveMessages(Connection& connection, int fd, mmsghdr* messages, unsigned count, int flags,
                    timespec* timeout) {
  if (timeout != nullptr) {
    if (!IsWritable(timeout, sizeof *timeout)) return FailWith(EFAULT);
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1'000'000'000)
      return FailWith(EINVAL);
  }
  Remaining remaining(timeout);
  int done = 0;
  for (; done < static_cast<int>(std::min<unsigned>(count, IOV_MAX)); ++done) {
    if (!IsWritable(&messages[done], sizeof *messages)) return done != 0 ? done : FailWith(EFAULT);
    ssize_t received =
        ReceiveMessage(connection, fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE);
    if (received < 0) return done != 0 ? done : -1;
    messages[done].msg_len = static_cast<unsigned>(received);
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
    if (remaining.IsOver()) return done + 1;
  }
  return done;
}

ssize_t SendTo(Connection& connection, int fd, const iovec& vector, int flags,
               const sockaddr* address, socklen_t length) {
  // Unlike sendmsg's, the length is not cut down to what fits.
  if (address != nullptr && length > sizeof(sockaddr_storage)) return FailWith(EINVAL);
  ErrnoKeeper keeper;
  if (!CheckMessage(fd, address, length, nullptr, 0)) return -1;
  return keeper.Return(SendOn(connection, fd, &vector, 1, flags));
}

ssize_t SendMessage(Connection& connection, int fd, const msghdr* message, int flags) {
  if (!IsReadable(message, sizeof *message)) return FailWith(EFAULT);
  if (message->msg_iovlen > IOV_MAX) return FailWith(EMSGSIZE);
  if (!CheckArray(message->msg_iov, message->msg_iovlen)) return -1;
  ErrnoKeeper keeper;
  if (!CheckMessage(fd, message->msg_name, message->msg_namelen, message->msg_control,
                    message->msg_controllen)) {
    return -1;
  }
  return keeper.Return(SendOn(connection, fd, message->msg_iov, message->msg_iovlen, flags));
}

int SendMessages(Connection& connection, int fd, mmsghdr* messages, unsigned count, int flags) {
  int done = 0;
  for (; done < static_cast<int>(std::min<unsigned>(count, IOV_MAX)); ++done) {
    if (!IsWritable(&messages[done], sizeof *messages)) return done != 0 ? done : FailWith(EFAULT);
    ssize_t sent = SendMessage(connection, fd, &messages[done].msg_hdr, flags);
    if (sent < 0) return done != 0 ? done : -1;
    messages[done].msg_len = static_cast<unsigned>(sent);
  }
  return done;
}

}  // namespace socksify
