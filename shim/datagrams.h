// Datagrams to and from the kernel: whether they may go where they are addressed to, and those to
// and from name servers, which the shim plays (dns_stub.h). Each is as the call it is named after,
// errno included.
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
  SocketAddress stand_in = {};  // kStandIn: what plays the name server (dns_stub.h)
};
// A null address is none, and stream sockets have no datagrams: kAsNamed. kRefused sets errno.
// `level` is how loudly the user is told of a refusal.
DatagramTarget DatagramTargetFor(int fd, const sockaddr* address, socklen_t length,
                                 LogLevel level = LogLevel::kWarn);

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

}  // namespace socksify

#endif  // SHIM_DATAGRAMS_H_
