#include "shim/server_addresses.h"

#include <chrono>

#include "shim/mutex.h"

namespace socksify {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kKept(60);

struct Resolved {
  std::vector<Address> addresses;
  Clock::time_point until;
};

std::vector<Resolved>& GetTable() {  // guarded by leaf_mutex; by place in the configuration
  static auto* const table = new std::vector<Resolved>();
  return *table;
}

}  // namespace

std::vector<Address> ServerAddresses::Known(size_t server) {
  const auto now = Clock::now();
  MutexLock lock(leaf_mutex);
  const auto& table = GetTable();
  if (server >= table.size() || table[server].until <= now) return {};
  return table[server].addresses;
}

void ServerAddresses::Note(size_t server, const std::vector<Address>& addresses) {
  const auto until = Clock::now() + kKept;
  MutexLock lock(leaf_mutex);
  auto& table = GetTable();
  if (server >= table.size()) table.resize(server + 1);
  table[server] = {addresses, until};
}

void ServerAddresses::Forget(size_t server) {
  MutexLock lock(leaf_mutex);
  if (auto& table = GetTable(); server < table.size()) table[server].addresses.clear();
}

}  // namespace socksify
