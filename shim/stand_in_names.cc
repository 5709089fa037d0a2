#include "shim/stand_in_names.h"

#include <arpa/inet.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/run_file.h"

namespace socksify {
namespace {

// One per port of loopback, the stand-in's own; a later stand-in on the port takes it over. Written
// between two changes of `version`, which is odd meanwhile.
struct Entry {
  struct Names {
    uint16_t stand_in_peer_port;
    uint16_t family;
    std::array<uint16_t, 2> ports;  // of the connection that was made: local, peer
    std::array<std::array<uint8_t, 16>, 2> addresses;
  };
  static constexpr size_t kWords = (sizeof(Names) + 7) / 8;

  std::atomic<uint32_t> version;
  std::array<std::atomic<uint64_t>, kWords> words;
};
constexpr size_t kPorts = 65536;

Entry* g_entries = nullptr;
pthread_once_t g_once = PTHREAD_ONCE_INIT;

Entry* Entries() {
  const int saved_errno = errno;
  pthread_once(&g_once, [] {
    const Guard guard;
    g_entries = static_cast<Entry*>(MapRunFile(".stand-ins", kPorts * sizeof(Entry)));
  });
  errno = saved_errno;
  return g_entries;
}

uint16_t PortOf(const SocketAddress& address) {  // of AF_INET or AF_INET6
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

bool IsLoopback(const SocketAddress& address) {
  const uint8_t* ip;
  if (address.family() == AF_INET) {
    ip = reinterpret_cast<const uint8_t*>(
        &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr);
  } else if (address.family() == AF_INET6) {
    const in6_addr& mapped = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&mapped)) return false;
    ip = mapped.s6_addr + 12;
  } else {
    return false;
  }
  constexpr uint8_t kLoopback[] = {127, 0, 0, 1};
  return memcmp(ip, kLoopback, sizeof kLoopback) == 0;
}

void Pack(const SocketAddress& address, uint16_t* port, std::array<uint8_t, 16>* ip) {
  *port = PortOf(address);
  if (address.family() == AF_INET) {
    memcpy(ip->data(), &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr, 4);
  } else {
    memcpy(ip->data(), &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr, 16);
  }
}

SocketAddress Unpack(uint16_t family, uint16_t port, const std::array<uint8_t, 16>& ip) {
  SocketAddress address;
  address.storage.ss_family = family;
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    in->sin_port = htons(port);
    memcpy(&in->sin_addr, ip.data(), 4);
    address.length = sizeof *in;
  } else {
    auto* in = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in->sin6_port = htons(port);
    memcpy(&in->sin6_addr, ip.data(), 16);
    address.length = sizeof *in;
  }
  return address;
}

}  // namespace

void NoteStandIn(int stand_in, const ConnectionNames& names) {
  SocketAddress local, peer;
  local.length = peer.length = sizeof local.storage;
  if (real::getsockname(stand_in, reinterpret_cast<sockaddr*>(&local.storage), &local.length) !=
          0 ||
      real::getpeername(stand_in, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length) != 0) {
    return;
  }
  Entry* entries = Entries();
  if (entries == nullptr || !Reserve(&entries[PortOf(local)], sizeof *entries)) return;
  Entry& entry = entries[PortOf(local)];

  Entry::Names packed = {};
  packed.stand_in_peer_port = PortOf(peer);
  packed.family = static_cast<uint16_t>(names.peer.family());
  Pack(names.local, &packed.ports[0], &packed.addresses[0]);
  Pack(names.peer, &packed.ports[1], &packed.addresses[1]);
  std::array<uint64_t, Entry::kWords> words = {};
  memcpy(words.data(), &packed, sizeof packed);
  entry.version.fetch_or(1);
  for (size_t i = 0; i < words.size(); ++i) entry.words[i].store(words[i]);
  entry.version.fetch_add(1);
}

bool FindStandIn(const SocketAddress& local, const SocketAddress& peer, ConnectionNames* names) {
  if (!IsLoopback(local) || !IsLoopback(peer)) return false;
  Entry* entries = Entries();
  if (entries == nullptr) return false;
  const Entry& entry = entries[PortOf(local)];
  const uint32_t version = entry.version.load();
  std::array<uint64_t, Entry::kWords> words;
  for (size_t i = 0; i < words.size(); ++i) words[i] = entry.words[i].load();
  if (version == 0 || (version & 1) != 0 || entry.version.load() != version) return false;
  Entry::Names packed;
  memcpy(&packed, words.data(), sizeof packed);
  if (packed.stand_in_peer_port != PortOf(peer) || packed.family != local.family()) return false;
  names->local = Unpack(packed.family, packed.ports[0], packed.addresses[0]);
  names->peer = Unpack(packed.family, packed.ports[1], packed.addresses[1]);
  return true;
}

}  // namespace socksify
