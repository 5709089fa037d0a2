// What read, recv, write, send and their families come to on a framed connection: the arguments are
// checked as the kernel would, then the connection's Receive or Send does it.
//
// Errors are -1 with errno; success leaves errno alone. They wait where a blocking socket does.
#ifndef SHIM_OCTETS_H_
#define SHIM_OCTETS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <ctime>

#include "shim/connection.h"

namespace socksify {

constexpr size_t kMaxOctets = 0x7ffff000;  // MAX_RW_COUNT: no call moves more

inline iovec Vector(const void* octets, size_t count) {
  return {const_cast<void*>(octets), std::min(count, kMaxOctets)};
}

// The vectors themselves are there; what they say is checked.
ssize_t ReceiveOn(Connection& connection, int fd, const iovec* vectors, size_t count, int flags);
ssize_t SendOn(Connection& connection, int fd, const iovec* vectors, size_t count, int flags);

// readv(2) and writev(2). To read nothing is no call, while recv(2) waits for octets all the same.
ssize_t ReadOn(Connection& connection, int fd, const iovec* vectors, int count, int flags);
ssize_t WriteOn(Connection& connection, int fd, const iovec* vectors, int count, int flags);

// recvfrom(2), recvmsg(2), recvmmsg(2): a stream has no address.
ssize_t ReceiveFrom(Connection& connection, int fd, const iovec& vector, int flags,
                    const sockaddr* address, socklen_t* length);
ssize_t ReceiveMessage(Connection& connection, int fd, msghdr* message, int flags);
int ReceiveMessages(Connection& connection, int fd, mmsghdr* messages, unsigned count, int flags,
                    timespec* timeout);

// sendto(2), sendmsg(2), sendmmsg(2): the address is checked and not used.
ssize_t SendTo(Connection& connection, int fd, const iovec& vector, int flags,
               const sockaddr* address, socklen_t length);
ssize_t SendMessage(Connection& connection, int fd, const msghdr* message, int flags);
int SendMessages(Connection& connection, int fd, mmsghdr* messages, unsigned count, int flags);

}  // namespace socksify

#endif  // SHIM_OCTETS_H_
