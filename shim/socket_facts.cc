#include "shim/socket_facts.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <cstring>
#include <utility>

#include "shim/real_calls.h"

namespace socksify {
namespace {

// Of a v4-mapped address, too; 0 for another.
in_addr_t Ipv4Of(const sockaddr* address) {
  in_addr_t host = 0;
  if (address->sa_family == AF_INET) {
    host = reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr;
  } else if (const auto* six = reinterpret_cast<const sockaddr_in6*>(address);
             IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
    memcpy(&host, six->sin6_addr.s6_addr + 12, sizeof host);
  }
  return ntohl(host);
}

}  // namespace

int SocketOption(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return real::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool IsBlocking(int fd, int flags) {
  return (flags & MSG_DONTWAIT) == 0 && (real::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

bool LocalName(int fd, SocketAddress* name) {
  name->length = sizeof name->storage;
  return real::getsockname(fd, reinterpret_cast<sockaddr*>(&name->storage), &name->length) == 0;
}

bool PeerName(int fd, SocketAddress* name) {
  name->length = sizeof name->storage;
  return real::getpeername(fd, reinterpret_cast<sockaddr*>(&name->storage), &name->length) == 0;
}

bool IsV6Only(int fd) {
  int only = 0;
  socklen_t size = sizeof only;
  return real::getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 && only != 0;
}

bool IsTiedToInterface(int fd) {
  char device[64] = {};
  socklen_t size = sizeof device;
  if (real::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size) == 0 && size > 1 &&
      strcmp(device, "lo") != 0) {
    return true;
  }
  for (auto [level, option] :
       {std::pair{IPPROTO_IP, IP_UNICAST_IF}, std::pair{IPPROTO_IPV6, IPV6_UNICAST_IF}}) {
    int interface = 0;
    size = sizeof interface;
    if (real::getsockopt(fd, level, option, &interface, &size) == 0 && interface != 0) return true;
  }
  return false;
}

bool IsOnNoLink(int fd, const sockaddr* address) {
  if (address->sa_family != AF_INET6) return false;
  const auto* six = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr) && six->sin6_scope_id == 0 &&
         SocketOption(fd, SO_BINDTOIFINDEX) <= 0;
}

bool IsToMany(const sockaddr* address) {
  if (IsBroadcast(address)) return true;
  if (address->sa_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(address);
    if (!IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) return IN6_IS_ADDR_MULTICAST(&six->sin6_addr);
  }
  return IN_MULTICAST(Ipv4Of(address));
}

bool IsBroadcast(const sockaddr* address) { return Ipv4Of(address) == INADDR_BROADCAST; }

}  // namespace socksify
