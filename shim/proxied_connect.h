// connect(2), through the SOCKS server where the route says so.
#ifndef SHIM_PROXIED_CONNECT_H_
#define SHIM_PROXIED_CONNECT_H_

#include <sys/socket.h>

namespace socksify {

// The whole of connect(2), errno included. Blocks as the socket does.
int ConnectDescriptor(int fd, const sockaddr* address, socklen_t length);

// Has another process, with which this one shares the socket that is not connected here, connected
// it through the server? Then the session is there. With errno, EIO, and a report.
bool IsAnothersSession(int fd);

// Ends an attempt that is under way: the socket is as before connect(), and may be connected anew.
int AbandonConnect(int fd);

}  // namespace socksify

#endif  // SHIM_PROXIED_CONNECT_H_
