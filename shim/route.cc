#include "shim/route.h"

#include <arpa/inet.h>

#include <cerrno>
#include <map>
#include <string>

#include "lib/io/socket_address.h"
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

bool IsLocalName(const Config& config, const Address& address) {
  MutexLock lock(leaf_mutex);
  auto at = LocalNames().find(address.ip);
  return at != LocalNames().end() && config.bypass.Matches(Address::Name(at->second, address.port));
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
  if (config->bypass.Matches(AsKernelReadsIt(*named)) || IsLocalName(*config, *named)) return {};
  return {Route::Kind::kProxy, *named};
}

bool IsRemoteName(std::string_view name) {
  const std::string text(name);
  sockaddr_in6 scratch;
  if (inet_aton(text.c_str(), reinterpret_cast<in_addr*>(&scratch)) != 0 ||
      inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &scratch) == 1) {
    return false;
  }
  const Config* config = Runtime::GetConfig();
  if (config == nullptr) return true;
  return config->dns == DnsMode::kRemote && !config->bypass.MentionsName(name);
}

void RememberLocalName(std::string_view name, const sockaddr* address, socklen_t length) {
  auto resolved = AddressFromSockaddr(address, length);
  if (!resolved) return;
  MutexLock lock(leaf_mutex);
  if (LocalNames().size() < kMaxLocalNames) LocalNames()[resolved->ip] = name;
}

}  // namespace socksify
