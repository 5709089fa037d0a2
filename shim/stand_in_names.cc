#include "shim/stand_in_names.h"

#include <arpa/inet.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "shim/guard.h"
#include "shim/run_file.h"
#include "shim/socket_facts.h"

namespace socksify {
namespace {

// One per port of loopback, that of one end; a later stand-in on the port takes it over. Written
// between two changes of `version`, which is odd meanwhile.
struct Entry {
  struct Names {
    uint16_t other_port;
    uint16_t family;
    std::array<uint16_t, 2> ports;  // of the connection that was made: local, peer
    std::array<std::array<uint8_t, 16>, 2> addresses;
  };
  static constexpr size_t kWords = (sizeof(Names) + 7) / 8;

  std::atomic<uint32_t> version;
  std::array<std::atomic<uint64_t>, kWords> words;
};
constexpr size_t kPorts = 65536;

struct Table {
  const char* suffix;
  pthread_once_t once = PTHREAD_ONCE_INIT;
  Entry* entries = nullptr;
};
Table g_streams{".stand-ins"};
Table g_datagrams{".datagrams"};  // by the port of the agent's stand-in

template <Table& table>
Entry* Entries() {
  const int saved_errno = errno;
  pthread_once(&table.once, [] {
    const Guard guard;
    table.entries = static_cast<Entry*>(MapRunFile(table.suffix, kPorts * sizeof(Entry)));
  });
  errno = saved_errno;
  return table.entries;
}

uint16_t PortOf(const SocketAddress& address) {  // of AF_INET or AF_INET6
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

bool IsLoopback(const SocketAddress& name) {
  const auto address = AddressFromSockaddr(name.get(), name.length);
  if (!address) return false;
  std::array<uint8_t, 16> loopback = {};
  loopback[15] = 1;
  return *address == Address::Ipv4({127, 0, 0, 1}, address->port) ||
         *address == Address::Ipv6(loopback, address->port);
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

// `end`: the end of loopback that the entry goes by; `other`: the other.
void Note(Entry* entries, const SocketAddress& end, const SocketAddress& other,
          const ConnectionNames& names) {
  if (entries == nullptr || !Reserve(&entries[PortOf(end)], sizeof *entries)) return;
  Entry& entry = entries[PortOf(end)];
  Entry::Names packed = {};
  packed.other_port = PortOf(other);
  packed.family = static_cast<uint16_t>(names.peer.family());
  Pack(names.local, &packed.ports[0], &packed.addresses[0]);
  Pack(names.peer, &packed.ports[1], &packed.addresses[1]);
  std::array<uint64_t, Entry::kWords> words = {};
  memcpy(words.data(), &packed, sizeof packed);
  entry.version.fetch_or(1);
  for (size_t i = 0; i < words.size(); ++i) entry.words[i].store(words[i]);
  entry.version.fetch_add(1);
}

bool Find(const Entry* entries, const SocketAddress& end, const SocketAddress& other,
          ConnectionNames* names) {
  if (entries == nullptr) return false;
  const Entry& entry = entries[PortOf(end)];
  const uint32_t version = entry.version.load();
  std::array<uint64_t, Entry::kWords> words;
  for (size_t i = 0; i < words.size(); ++i) words[i] = entry.words[i].load();
  if (version == 0 || (version & 1) != 0 || entry.version.load() != version) return false;
  Entry::Names packed;
  memcpy(&packed, words.data(), sizeof packed);
  if (packed.other_port != PortOf(other) || packed.family != end.family()) return false;
  names->local = Unpack(packed.family, packed.ports[0], packed.addresses[0]);
  names->peer = Unpack(packed.family, packed.ports[1], packed.addresses[1]);
  return true;
}

}  // namespace

void NoteStandIn(int stand_in, const ConnectionNames& names) {
  SocketAddress local, peer;
  if (!LocalName(stand_in, &local) || !PeerName(stand_in, &peer)) return;
  Note(Entries<g_streams>(), local, peer, names);
}

bool FindStandIn(const SocketAddress& local, const SocketAddress& peer, ConnectionNames* names) {
  return IsLoopback(local) && IsLoopback(peer) && Find(Entries<g_streams>(), local, peer, names);
}

void NoteDatagramStandIn(int fd, const SocketAddress& stand_in, const SocketAddress& peer) {
  SocketAddress own;
  if (LocalName(fd, &own)) Note(Entries<g_datagrams>(), stand_in, own, {own, peer});
}

std::optional<SocketAddress> DatagramPeerAt(int fd, const SocketAddress& stand_in) {
  SocketAddress own;
  ConnectionNames names;
  if (!IsLoopback(stand_in) || !LocalName(fd, &own) ||
      !Find(Entries<g_datagrams>(), stand_in, own, &names)) {
    return std::nullopt;
  }
  return names.peer;
}

}  // namespace socksify
