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

// Is this name to be resolved by the SOCKS server, rather than here? False for bypassed names,
// numeric addresses and with --dns local. An unusable configuration resolves nothing: true.
bool IsRemoteName(std::string_view name);

// The local resolver has said that `address` is the address of `name`, which is bypassed.
void RememberLocalName(std::string_view name, const sockaddr* address, socklen_t length);

}  // namespace socksify

#endif  // SHIM_ROUTE_H_
