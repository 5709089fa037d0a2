#include "shim/names.h"

#include <arpa/inet.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "lib/config/text.h"
#include "lib/io/socket_address.h"
#include "lib/wire/dns.h"
#include "shim/guard.h"
#include "shim/name_map.h"
#include "shim/real_calls.h"
#include "shim/route.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

constexpr char kHostsFile[] = "/etc/hosts";

// Read anew for each name, as libc does: who edits the file expects it to count.
std::string ReadHosts() {
  const Guard guard;  // no cancellation half-way
  const int saved_errno = errno;
  std::string text;
  const int fd = real::open(kHostsFile, O_RDONLY | O_CLOEXEC);
  char piece[16384];
  ssize_t count = 0;
  while (fd >= 0 && (count = real::read(fd, piece, sizeof piece)) > 0) {
    text.append(piece, static_cast<size_t>(count));
  }
  if (fd >= 0) (void)real::close(fd);
  errno = saved_errno;
  return text;
}

bool IsNumeric(std::string_view name) {
  const std::string text(name);
  sockaddr_in6 scratch;
  return inet_aton(text.c_str(), reinterpret_cast<in_addr*>(&scratch)) != 0 ||
         inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &scratch) == 1;
}

bool IsIpv6Loopback(const Address& address) { return address.Host() == "::1"; }

bool IsLoopback(const Address& address) {
  return address.type == AddressType::kIpv4 ? address.ip[0] == 127 : IsIpv6Loopback(address);
}

// What this machine knows by itself.
std::optional<Host> FindHere(std::string_view name) {
  auto host = FindHost(ReadHosts(), name);
  const std::string lower = LowerCase(Relative(name));
  if (!host && (lower == "localhost" || lower.ends_with(".localhost"))) {
    std::array<uint8_t, 16> ipv6 = {};
    ipv6[15] = 1;
    host = Host{lower, {Address::Ipv4({127, 0, 0, 1}, 0), Address::Ipv6(ipv6, 0)}};
  }
  if (!host) return std::nullopt;
  // In the order that getaddrinfo(3) gives them where no other IPv6 can be had.
  auto rank = [](const Address& address) {
    if (IsIpv6Loopback(address)) return 0;
    return address.type == AddressType::kIpv4 ? 1 : 2;
  };
  std::ranges::stable_sort(host->addresses, {}, rank);
  return host;
}

}  // namespace

NameSource SourceOf(std::string_view name) {
  using Kind = NameSource::Kind;
  if (IsNumeric(name)) return {Kind::kLibc, {}};
  const Config* config = Runtime::GetConfig();
  if (config == nullptr) return {};
  if (config->dns == DnsMode::kLocal) return {Kind::kLibc, {}};
  const bool bypassed = config->bypass.MentionsName(name);
  if (auto host = FindHere(name)) {
    for (const Address& address : host->addresses) {
      if (bypassed) RememberLocalName(name, address);
    }
    return {Kind::kHosts, std::move(*host)};
  }
  return {bypassed ? Kind::kLibc : Kind::kStandIn, {}};
}

bool IsAskable(std::string_view name) {
  Bytes wire;
  return IsHostName(name) && AppendDnsName(wire, name);
}

std::string_view Relative(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
  return name;
}

AddressSource SourceOf(const sockaddr* address, socklen_t length) {
  using Kind = AddressSource::Kind;
  auto named = AddressFromSockaddr(address, length);
  if (!named) return {Kind::kLibc, {}};
  const Config* config = Runtime::GetConfig();
  if (config != nullptr && config->dns == DnsMode::kLocal) return {Kind::kLibc, {}};
  const Route route = RouteTo(address, length);
  if (route.kind == Route::Kind::kProxy && route.destination.type == AddressType::kName) {
    return {Kind::kKnown, route.destination.name};
  }
  if (auto name = FindHostName(ReadHosts(), *named)) return {Kind::kKnown, std::move(*name)};
  const bool direct = route.kind == Route::Kind::kDirect && !IsLoopback(*named);
  return {direct ? Kind::kLibc : Kind::kUnknown, {}};
}

}  // namespace socksify
