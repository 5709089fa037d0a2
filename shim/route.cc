#include "shim/route.h"

#include <cerrno>
#include <map>
#include <optional>
#include <string>

#include "lib/io/socket_address.h"
#include "lib/wire/dns.h"
#include "shim/mutex.h"
#include "shim/name_map.h"
#include "shim/report.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

// Addresses of bypassed names, so that connect() knows them again. Bounded; the oldest ways stay.
constexpr size_t kMaxLocalNames = 16384;

std::map<std::array<uint8_t, 16>, std::string>& LocalNames() {  // guarded by leaf_mutex
  static auto* const names = new std::map<std::array<uint8_t, 16>, std::string>();
  return *names;
}

// The bypassed name that the address was resolved from.
std::optional<Address> LocalNameOf(const Address& address) {
  MutexLock lock(leaf_mutex);
  auto at = LocalNames().find(address.ip);
  if (at == LocalNames().end()) return std::nullopt;
  return Address::Name(at->second, address.port);
}

// The kernel takes 0.0.0.0 and :: for this host.
Address AsKernelReadsIt(const Address& address) {
  if (!address.IsUnspecified()) return address;
  if (address.type == AddressType::kIpv4) return Address::Ipv4({127, 0, 0, 1}, address.port);
  std::array<uint8_t, 16> loopback = {};
  loopback[15] = 1;
  return Address::Ipv6(loopback, address.port);
}

}  // namespace

Route RouteTo(const sockaddr* address, socklen_t length) {
  auto named = AddressFromSockaddr(address, length);
  if (!named) return {};
  const Config* config = Runtime::GetConfig();
  if (config == nullptr) return {Route::Kind::kRefuse, {}, EACCES};
  if (config->dns == DnsMode::kRemote && NameMap::IsInRange(*named)) {
    auto name = NameMap::NameOf(*named);
    if (name) return {Route::Kind::kProxy, Address::Name(*name, named->port)};
    ReportOnce("the address " + named->Host() + " stands for no name that this run has resolved");
    return {Route::Kind::kRefuse, {}, EHOSTUNREACH};
  }
  const Address meant = AsKernelReadsIt(*named);
  if (config->bypass.Matches(meant)) return {};
  const auto local_name = LocalNameOf(*named);
  if (local_name && config->bypass.Matches(*local_name)) return {};
  return {Route::Kind::kProxy, meant};
}

void RememberLocalName(std::string_view name, const Address& address) {
  MutexLock lock(leaf_mutex);
  if (LocalNames().size() < kMaxLocalNames) LocalNames()[address.ip] = name;
}

bool IsNameServer(const sockaddr* address, socklen_t length) {
  auto named = AddressFromSockaddr(address, length);
  if (!named || named->port != kDnsPort) return false;
  const Config* config = Runtime::GetConfig();
  if (config == nullptr || config->dns == DnsMode::kLocal) return false;
  const auto local_name = LocalNameOf(*named);
  return !config->bypass.MatchesWithPort(AsKernelReadsIt(*named)) &&
         !(local_name && config->bypass.MatchesWithPort(*local_name));
}

}  // namespace socksify
