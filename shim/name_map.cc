#include "shim/name_map.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "lib/config/text.h"
#include "shim/guard.h"
#include "shim/run_file.h"

namespace socksify {
namespace {

constexpr uint32_t kNetwork =
    198u << 24 | 18u << 16;               // RFC 2544: benchmarks, never on the Internet
constexpr uint32_t kCapacity = 1u << 17;  // /15
constexpr uint8_t kIpv6Prefix[12] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x98, 0x00, 0x18, 0, 0, 0, 0};

struct Entry {
  enum : uint32_t { kFree, kWriting, kReady };
  std::atomic<uint32_t> state;
  uint32_t length;
  char name[256];

  std::string_view text() const { return {name, length}; }
};
static_assert(sizeof(Entry) == 264);
constexpr size_t kMapSize =
    kCapacity * sizeof(Entry);  // a sparse file: pages come with their names

Entry* g_map = nullptr;
pthread_once_t g_once = PTHREAD_ONCE_INIT;

void MapOnce() {
  const Guard guard;
  g_map = static_cast<Entry*>(MapRunFile("", kMapSize));
}

Entry* Map() {
  const int saved_errno = errno;
  pthread_once(&g_once, &MapOnce);
  errno = saved_errno;
  return g_map;
}

uint32_t Hash(std::string_view name) {  // FNV-1a
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

// Is the entry this name's, or did it become so just now?
bool ClaimOrMatch(Entry& entry, std::string_view name) {
  uint32_t state = Entry::kFree;
  if (entry.state.compare_exchange_strong(state, Entry::kWriting)) {
    entry.length = static_cast<uint32_t>(name.size());
    memcpy(entry.name, name.data(), name.size());
    entry.state.store(Entry::kReady, std::memory_order_release);
    return true;
  }
  // A writer is a few instructions away from kReady, unless it was killed there: then the entry is
  // lost.
  for (int spin = 0; state == Entry::kWriting && spin < 1000; ++spin) {
    sched_yield();
    state = entry.state.load(std::memory_order_acquire);
  }
  return state == Entry::kReady && entry.length <= kMaxNameLength && entry.text() == name;
}

std::optional<uint32_t> IndexOf(const Address& address) {
  const uint8_t* octets = address.ip.data();
  if (address.type == AddressType::kIpv6) {
    if (memcmp(octets, kIpv6Prefix, sizeof kIpv6Prefix) != 0) return std::nullopt;
    octets += sizeof kIpv6Prefix;
  } else if (address.type != AddressType::kIpv4) {
    return std::nullopt;
  }
  uint32_t value = static_cast<uint32_t>(octets[0]) << 24 | static_cast<uint32_t>(octets[1]) << 16 |
                   static_cast<uint32_t>(octets[2]) << 8 | octets[3];
  if ((value & ~(kCapacity - 1)) != kNetwork) return std::nullopt;
  return value - kNetwork;
}

}  // namespace

std::optional<Address> NameMap::AddressFor(std::string_view text, AddressType type) {
  Entry* map = Map();
  if (map == nullptr || text.empty() || text.size() > kMaxNameLength) return std::nullopt;
  const std::string name = LowerCase(text);
  const uint32_t start = Hash(name);
  for (uint32_t i = 0; i < kCapacity; ++i) {
    const uint32_t index = (start + i) % kCapacity;
    const uint8_t last = static_cast<uint8_t>(index);
    if (last == 0 || last == 255) continue;  // some programs take them for broadcast addresses
    if (map[index].state.load(std::memory_order_acquire) == Entry::kFree &&
        !Reserve(&map[index], sizeof(Entry))) {
      return std::nullopt;
    }
    if (!ClaimOrMatch(map[index], name)) continue;
    const uint32_t value = kNetwork + index;
    std::array<uint8_t, 16> ip = {};
    uint8_t* octets = ip.data();
    if (type == AddressType::kIpv6) {
      memcpy(octets, kIpv6Prefix, sizeof kIpv6Prefix);
      octets += sizeof kIpv6Prefix;
    }
    for (int shift = 24; shift >= 0; shift -= 8) *octets++ = static_cast<uint8_t>(value >> shift);
    if (type == AddressType::kIpv6) return Address::Ipv6(ip, 0);
    return Address::Ipv4({ip[0], ip[1], ip[2], ip[3]}, 0);
  }
  return std::nullopt;
}

bool NameMap::IsInRange(const Address& address) { return IndexOf(address).has_value(); }

std::optional<std::string> NameMap::NameOf(const Address& address) {
  auto index = IndexOf(address);
  Entry* map = index ? Map() : nullptr;
  if (map == nullptr) return std::nullopt;
  const Entry& entry = map[*index];
  if (entry.state.load(std::memory_order_acquire) != Entry::kReady ||
      entry.length > kMaxNameLength) {
    return std::nullopt;
  }
  return std::string(entry.text());
}

}  // namespace socksify
