// What a socket is, as the kernel tells, and what an address means to it.
#ifndef SHIM_SOCKET_FACTS_H_
#define SHIM_SOCKET_FACTS_H_

#include <sys/socket.h>

#include "lib/io/socket_address.h"

namespace socksify {

int SocketOption(int fd, int option);  // of SOL_SOCKET; -1 with errno when it is no socket

// With neither O_NONBLOCK nor, in `flags`, MSG_DONTWAIT.
bool IsBlocking(int fd, int flags = 0);

// As getsockname(2) and getpeername(2). False with errno.
bool LocalName(int fd, SocketAddress* name);
bool PeerName(int fd, SocketAddress* name);

bool IsV6Only(int fd);

// What binds a socket to an interface would send a loopback address out of it.
bool IsTiedToInterface(int fd);

// A link-local address means something on one link only, which the address or the socket names.
bool IsOnNoLink(int fd, const sockaddr* address);

// Broadcast and multicast: nothing that goes through the server goes to more than one. IPv4 or
// IPv6.
bool IsToMany(const sockaddr* address);
bool IsBroadcast(const sockaddr* address);  // 255.255.255.255

}  // namespace socksify

#endif  // SHIM_SOCKET_FACTS_H_
