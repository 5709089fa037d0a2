// Datagrams to and from the kernel: whether they may go where they are addressed to, and what plays
// their peers on loopback: name servers the shim itself (dns_stub.h), all others the agent
// (association.h). Each function is as the call it is named after, errno included.
#ifndef SHIM_DATAGRAMS_H_
#define SHIM_DATAGRAMS_H_

#include <sys/socket.h>
#include <sys/types.h>

#include "lib/base/log.h"
#include "lib/io/socket_address.h"

namespace socksify {

// Where a datagram is to go that the application sends to an address.
struct DatagramTarget {
  enum class Kind : unsigned char { kAsNamed, kStandIn, kRefused };
  Kind kind = Kind::kAsNamed;
  SocketAddress stand_in = {};  // kStandIn
  bool through_server = false;  // kStandIn: the agent's
};
// A null address is none, and stream sockets have no datagrams: kAsNamed. kRefused sets errno.
// Waits for the association where the socket and `flags` (MSG_DONTWAIT) say so. `size`: of the
// data. `level` is how loudly the user is told of a refusal.
DatagramTarget DatagramTargetFor(int fd, const sockaddr* address, socklen_t length, size_t size,
                                 int flags, LogLevel level = LogLevel::kWarn);

// Of the data of one datagram: 0 where the kernel is to cut it into several.
size_t SizeOfMessage(const msghdr& message);

// Is it a name server that the shim plays, and a protocol that name servers speak?
bool AsksNameServer(int fd, int type, const sockaddr* address, socklen_t length);

// connect(2) of a socket that is not SOCK_STREAM.
int ConnectDatagrams(int fd, const sockaddr* address, socklen_t length);

ssize_t SendDatagram(int fd, const void* octets, size_t count, int flags, const sockaddr* address,
                     socklen_t length);
ssize_t SendMessageTo(const DatagramTarget& target, int fd, const msghdr* message, int flags);

ssize_t ReceiveDatagram(int fd, void* buffer, size_t count, int flags, sockaddr* address,
                        socklen_t* length);
ssize_t ReceiveDatagram(int fd, msghdr* message, int flags);
int ReceiveDatagrams(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout);

// --- for descriptors with an association (Associations::Has) ---

// As readv(2) or recv(2) with `flags`.
ssize_t ReceiveOctets(int fd, const iovec* vectors, int count, int flags);
// As writev(2) or send(2) with `flags`.
ssize_t SendOctets(int fd, const iovec* vectors, int count, int flags);
// `error`: what SO_ERROR has said. What it is to say.
int DatagramError(int fd, int error);

}  // namespace socksify

#endif  // SHIM_DATAGRAMS_H_
