// Where a destination that the application names is to be reached: directly, or through the server.
#ifndef SHIM_ROUTE_H_
#define SHIM_ROUTE_H_

#include <sys/socket.h>

#include <string_view>

#include "lib/wire/address.h"

namespace socksify {

struct Route {
  enum class Kind : unsigned char { kDirect, kProxy, kRefuse };
  Kind kind = Kind::kDirect;
  Address destination;  // kProxy: what the server is asked for; a name where one is known
  int error = 0;        // kRefuse: errno
};

// Anything that is not an IPv4 or IPv6 address is direct: the kernel judges it.
Route RouteTo(const sockaddr* address, socklen_t length);

// `address` is the address of `name`, which is bypassed: connect() knows it again.
void RememberLocalName(std::string_view name, const Address& address);

// Is this a name server whose answers come from the shim (dns_stub.h)? Port 53 of any address, with
// --dns remote, unless the bypass list names it with its port.
bool IsNameServer(const sockaddr* address, socklen_t length);

}  // namespace socksify

#endif  // SHIM_ROUTE_H_
