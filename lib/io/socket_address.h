// The kernel's socket addresses and SOCKS's, one as the other.
#ifndef LIB_IO_SOCKET_ADDRESS_H_
#define LIB_IO_SOCKET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/wire/address.h"

namespace socksify {

// An IPv4 or IPv6 socket address with its length; family AF_UNSPEC while empty.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// nullopt unless `address` is a whole IPv4 or IPv6 address. A v4-mapped one becomes IPv4.
std::optional<Address> AddressFromSockaddr(const sockaddr* address, socklen_t length);

// `address` must not be a name. With `family` AF_INET6 an IPv4 address comes out v4-mapped; an IPv6
// address with AF_INET gives nullopt.
std::optional<SocketAddress> SockaddrFromAddress(const Address& address, int family);

// Every address of a SOCKS server, in the resolver's order. Blocks on the resolver. kNetwork when
// the name is unknown.
Result<std::vector<Address>> ResolveServer(const ServerEndpoint& server);

}  // namespace socksify

#endif  // LIB_IO_SOCKET_ADDRESS_H_
