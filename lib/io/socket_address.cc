#include "lib/io/socket_address.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace socksify {

// RFC 2133 had no sin6_scope_id; the kernel still takes addresses of that length.
static constexpr socklen_t kShortSockaddrIn6 = 24;

std::optional<Address> AddressFromSockaddr(const sockaddr* address, socklen_t length) {
  if (address == nullptr || length < sizeof address->sa_family) return std::nullopt;
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    memcpy(&in, address, sizeof in);
    std::array<uint8_t, 4> ip;
    memcpy(ip.data(), &in.sin_addr, ip.size());
    return Address::Ipv4(ip, ntohs(in.sin_port));
  }
  if (address->sa_family == AF_INET6 && length >= kShortSockaddrIn6) {
    sockaddr_in6 in6 = {};
    memcpy(&in6, address, std::min<size_t>(length, sizeof in6));
    std::array<uint8_t, 16> ip;
    memcpy(ip.data(), &in6.sin6_addr, ip.size());
    return Address::Ipv6(ip, ntohs(in6.sin6_port));
  }
  return std::nullopt;
}

std::optional<SocketAddress> SockaddrFromAddress(const Address& address, int family) {
  SocketAddress out;
  if (address.type == AddressType::kIpv4 && family == AF_INET) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    memcpy(&in.sin_addr, address.ip.data(), 4);
    memcpy(&out.storage, &in, sizeof in);
    out.length = sizeof in;
    return out;
  }
  if (address.type == AddressType::kName || family != AF_INET6) return std::nullopt;
  sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  if (address.type == AddressType::kIpv6) {
    memcpy(&in6.sin6_addr, address.ip.data(), 16);
  } else {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(in6.sin6_addr.s6_addr, kMapped, sizeof kMapped);
    memcpy(in6.sin6_addr.s6_addr + sizeof kMapped, address.ip.data(), 4);
  }
  memcpy(&out.storage, &in6, sizeof in6);
  out.length = sizeof in6;
  return out;
}

Result<std::vector<Address>> ResolveServer(const ServerEndpoint& server) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(server.port);
  int failure = getaddrinfo(server.host.c_str(), port.c_str(), &hints, &list);
  if (failure != 0) {
    return {Errc::kNetwork,
            "cannot resolve the server's name " + server.host + ": " + gai_strerror(failure)};
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (auto address = AddressFromSockaddr(at->ai_addr, at->ai_addrlen))
      addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace socksify
