// connect(2), through the SOCKS server where the route says so.
#ifndef SHIM_PROXIED_CONNECT_H_
#define SHIM_PROXIED_CONNECT_H_

#include <sys/socket.h>

namespace socksify {

// The whole of connect(2), errno included. Blocks as the socket does.
int ConnectDescriptor(int fd, const sockaddr* address, socklen_t length);

// Ends an attempt that is under way: the socket is as before connect(), and may be connected anew.
int AbandonConnect(int fd);

// May a datagram go to `address` from this socket? A null address is none. False with errno set;
// true for stream sockets, which have no datagrams.
bool MaySendDatagram(int fd, const sockaddr* address, socklen_t length);

}  // namespace socksify

#endif  // SHIM_PROXIED_CONNECT_H_
