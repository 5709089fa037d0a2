#include "shim/association.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "shim/descriptor_map.h"
#include "shim/inherited_channels.h"
#include "shim/name_map.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/signals.h"
#include "shim/socket_facts.h"
#include "shim/stand_in_names.h"

namespace socksify {
namespace {

// A datagram to a stand-in that has gone is lost without a word on a socket that is not connected,
// so what is known is not believed for long.
constexpr int64_t kBelievedMs = 1000;  // that the association is well
constexpr int64_t kIdleMs = 10'000;    // that the stand-in of a peer not used since is there
constexpr size_t kMaxPeers = 4096;     // known at a time

int64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

uint16_t PortOf(const SocketAddress& name) {
  return ntohs(reinterpret_cast<const sockaddr_in*>(&name.storage)->sin_port);
}

void SetPort(SocketAddress& name, uint16_t port) {
  reinterpret_cast<sockaddr_in*>(&name.storage)->sin_port = htons(port);
}

Address Loopback6(uint16_t port) {
  std::array<uint8_t, 16> ip = {};
  ip[15] = 1;
  return Address::Ipv6(ip, port);
}

bool IsLoopback(const Address& address) {
  return address.type == AddressType::kIpv4 ? address.ip[0] == 127
                                            : address == Loopback6(address.port);
}

// Nobody else's datagrams are to reach a socket that the program has not bound; but it must reach
// what is bypassed, too.
SocketAddress AddressToBind(int fd, int family) {
  const BypassRules& bypass = Runtime::GetConfig()->bypass;
  const Address four = Address::Ipv4({127, 0, 0, 1}, 0);
  if (family == AF_INET) {
    return *SockaddrFromAddress(bypass.IsOnlyLoopback() ? four : Address::Ipv4({}, 0), AF_INET);
  }
  if (IsV6Only(fd)) {
    return *SockaddrFromAddress(bypass.IsOnlyLoopback() ? Loopback6(0) : Address::Ipv6({}, 0),
                                AF_INET6);
  }
  return *SockaddrFromAddress(bypass.empty() ? four : Address::Ipv6({}, 0), AF_INET6);
}

// Where a stand-in on loopback reaches the socket.
std::optional<Address> OwnAddress(int fd) {
  SocketAddress name;
  if (!LocalName(fd, &name)) return std::nullopt;
  auto own = AddressFromSockaddr(name.get(), name.length);
  if (!own || !own->IsUnspecified()) return own;
  if (name.family() == AF_INET6 && IsV6Only(fd)) return Loopback6(own->port);
  return Address::Ipv4({127, 0, 0, 1}, own->port);
}

// The kernel gives the port back of a socket that is no longer connected, if it has chosen it.
bool BindAgain(int fd, uint16_t port) {
  SocketAddress name;
  if (!LocalName(fd, &name)) return false;
  SetPort(name, port);
  if (real::bind(fd, name.get(), name.length) == 0) return true;
  SetPort(name, 0);
  return real::bind(fd, name.get(), name.length) == 0;
}

// Where this host would send from to get there.
std::optional<SocketAddress> SourceTowards(const SocketAddress& target) {
  const DescriptorHeadroom headroom;
  const int scratch = OwnDescriptor::Adopt(
      real::socket(target.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));  // which sends nothing
  if (scratch < 0) return std::nullopt;
  SocketAddress source;
  const bool found =
      real::connect(scratch, target.get(), target.length) == 0 && LocalName(scratch, &source);
  OwnDescriptor::Close(scratch);
  return found ? std::optional(source) : std::nullopt;
}

// What `fd` calls a peer that came by itself.
std::optional<SocketAddress> NamedBy(int family, const Address& peer) {
  if (peer.type != AddressType::kName) return SockaddrFromAddress(peer, family);
  auto address =
      NameMap::AddressFor(peer.name, family == AF_INET6 ? AddressType::kIpv6 : AddressType::kIpv4);
  if (!address) return std::nullopt;
  address->port = peer.port;
  return SockaddrFromAddress(*address, family);
}

void Report(const AgentReply& reply, LogLevel level) {
  if (!reply.message.empty()) ReportOnce(reply.message, level);
}

}  // namespace

Association::Key Association::KeyOf(const Address& address) {
  Key key = {static_cast<uint8_t>(address.type), static_cast<uint8_t>(address.port >> 8),
             static_cast<uint8_t>(address.port)};
  std::ranges::copy(address.ip_octets(), key.begin() + 3);
  return key;
}

std::optional<SocketAddress> Association::Known(const Address& named) {
  if (!open()) return std::nullopt;
  const int64_t now = NowMs();
  const QuietLock lock(mutex_);
  const auto at = to_.find(KeyOf(named));
  if (at == to_.end() || checked_ms_ == 0 || now - checked_ms_ >= kBelievedMs ||
      now - at->second.used_ms >= kIdleMs) {
    return std::nullopt;
  }
  at->second.used_ms = now;
  return at->second.address;
}

std::optional<SocketAddress> Association::Reach(int fd, const Peer& peer, bool wait,
                                                LogLevel level) {
  for (int attempt = 0;; ++attempt) {
    std::shared_ptr<AgentChannel> channel = this->channel();
    if (channel != nullptr && !Check(channel, level)) {
      if (errno != EPIPE) return std::nullopt;
      channel = nullptr;  // the agent has gone; another makes another association
    }
    if (channel != nullptr) {
      Moved(fd);
    } else if (channel = Open(fd, level); channel == nullptr) {
      return std::nullopt;
    }
    auto stand_in = Ask(fd, channel, peer, wait, level);
    if (stand_in || errno != EPIPE || attempt != 0) {
      if (!stand_in && errno == EPIPE) errno = EACCES;
      return stand_in;
    }
  }
}

bool Association::Fits(int fd, const Address& named, size_t count) {
  if (count <= kAlwaysFits) return true;
  std::shared_ptr<AgentChannel> channel;
  StandIn stand_in;
  {
    const QuietLock lock(mutex_);
    const auto at = to_.find(KeyOf(named));
    if (at == to_.end()) return true;
    stand_in = at->second;
    channel = channel_;
  }
  if (stand_in.max_data == 0 && channel != nullptr &&
      Ask(fd, channel, stand_in.peer, true, LogLevel::kWarn)) {
    const QuietLock lock(mutex_);
    const auto at = to_.find(KeyOf(named));
    if (at != to_.end()) stand_in.max_data = at->second.max_data;
  }
  return stand_in.max_data == 0 || count <= stand_in.max_data;
}

std::optional<Association::Peer> Association::Playing(const SocketAddress& stand_in) {
  const auto address = AddressFromSockaddr(stand_in.get(), stand_in.length);
  if (!address) return std::nullopt;
  const QuietLock lock(mutex_);
  const auto at = from_.find(KeyOf(*address));
  return at != from_.end() ? std::optional(at->second) : std::nullopt;
}

std::optional<SocketAddress> Association::PeerAt(int fd, const SocketAddress& source) {
  if (const auto peer = Playing(source)) return peer->named;
  const auto address = AddressFromSockaddr(source.get(), source.length);
  const auto channel = this->channel();
  if (!address || channel == nullptr || !IsLoopback(*address)) return std::nullopt;
  AgentRequest request;
  request.kind = AgentRequest::Kind::kWhoIs;
  request.peer = *address;
  const SignalsBlocked no_handler;  // it has been received: there is no EINTR any more
  const auto reply = channel->Ask(request);
  if (!reply || reply->error != 0) return DatagramPeerAt(fd, source);  // of another association
  const auto named = NamedBy(source.family(), reply->peer);
  if (!named) return std::nullopt;
  NoteDatagramStandIn(fd, source, *named);
  const QuietLock lock(mutex_);
  if (from_.size() < kMaxPeers) from_[KeyOf(*address)] = {*named, reply->peer};
  return named;
}

bool Association::Reconnect(int fd, const SocketAddress& stand_in, bool wait, LogLevel level) {
  std::optional<Peer> peer = Playing(stand_in);
  if (const auto named = peer ? std::nullopt : DatagramPeerAt(fd, stand_in)) {
    const Route route = RouteTo(named->get(), named->length);
    if (route.kind == Route::Kind::kProxy) peer = {*named, route.destination};
  }
  if (!peer) return errno = ECONNREFUSED, false;  // none of the agent's: the kernel's own
  const auto other = Reach(fd, *peer, wait, level);
  if (!other) return false;
  if (other->length == stand_in.length &&
      memcmp(&other->storage, &stand_in.storage, other->length) == 0) {
    return true;
  }
  return Connect(fd, *other) == 0;
}

int Association::Connect(int fd, const SocketAddress& stand_in) {
  {
    const QuietLock lock(mutex_);
    connected_ = KeyOf(*AddressFromSockaddr(stand_in.get(), stand_in.length));
  }
  return real::connect(fd, stand_in.get(), stand_in.length);
}

int Association::Refused(int fd) {
  SocketAddress stand_in;
  if (!PeerName(fd, &stand_in)) return ECONNREFUSED;
  const bool ours = PeerAt(fd, stand_in).has_value();
  int error = 0;
  const auto channel = ours ? this->channel() : nullptr;
  if (channel != nullptr && !Check(channel, LogLevel::kWarn)) {
    error = errno == EPIPE ? ECONNREFUSED : errno;
  }
  if (!Reconnect(fd, stand_in, false, LogLevel::kWarn) && error == 0) error = errno;
  return error;
}

void Association::Dissolved() {
  const QuietLock lock(mutex_);
  SetChecked(0);
}

void Association::SetChecked(int64_t now_ms) {
  checked_ms_ = now_ms;
  settled_ = now_ms != 0;
}

// Has the socket another address by now? Tells the agent.
void Association::Moved(int fd) {
  std::shared_ptr<AgentChannel> channel = this->channel();
  if (channel == nullptr) return;
  uint16_t port;
  {
    const QuietLock lock(mutex_);
    port = own_.port;
  }
  auto own = OwnAddress(fd);
  if (own && own->port == 0 && BindAgain(fd, port)) own = OwnAddress(fd);
  {
    const QuietLock lock(mutex_);
    if (!own || own->port == 0 || *own == own_) return;
    own_ = *own;
  }
  AgentRequest request;
  request.kind = AgentRequest::Kind::kMoved;
  request.own = *own;
  (void)channel->Ask(request);
}

SocketAddress Association::LocalNameFor(int fd, const SocketAddress& local) {
  const auto own = AddressFromSockaddr(local.get(), local.length);
  if (!open() || bound_ == Bound::kAddress || !own || !IsLoopback(*own)) return local;
  SocketAddress stand_in;
  if (!PeerName(fd, &stand_in)) {  // not connected
    if (bound_ != Bound::kNot) return local;
    const Address any =
        local.family() == AF_INET6 ? Address::Ipv6({}, own->port) : Address::Ipv4({}, own->port);
    return *SockaddrFromAddress(any, local.family());
  }
  const auto peer = Playing(stand_in);
  if (!peer) return local;
  std::optional<Address> relay;
  {
    const QuietLock lock(mutex_);
    relay = relay_;
  }
  std::optional<SocketAddress> source, towards;
  const auto named = AddressFromSockaddr(peer->named.get(), peer->named.length);
  if (relay && named && relay->type == named->type &&
      (towards = SockaddrFromAddress(*relay, local.family()))) {
    source = SourceTowards(*towards);
  }
  if (!source) source = SourceTowards(peer->named);
  if (!source) return local;
  SetPort(*source, PortOf(local));
  return *source;
}

std::shared_ptr<AgentChannel> Association::channel() {
  if (!open()) return nullptr;
  const QuietLock lock(mutex_);
  return channel_;
}

std::shared_ptr<AgentChannel> Association::Open(int fd, LogLevel level) {
  const QuietLock opening(opening_);
  if (auto channel = this->channel()) return channel;
  const int family = SocketOption(fd, SO_DOMAIN);
  auto own = OwnAddress(fd);
  if (own && own->port == 0) {
    const SocketAddress to = AddressToBind(fd, family);
    if (real::bind(fd, to.get(), to.length) != 0) return nullptr;
    own = OwnAddress(fd);
  }
  if (!own) return nullptr;
  AgentRequest request;
  request.kind = AgentRequest::Kind::kAssociate;
  request.own = *own;
  std::shared_ptr<AgentChannel> channel;
  const auto reply = AgentProcess::Open(request, &channel);
  if (!reply) return nullptr;
  if (channel == nullptr) {
    Report(*reply, level);
    errno = reply->error;
    return nullptr;
  }
  NoteChannel(fd, SOCK_DGRAM, *channel);
  Adopt(*own, channel);
  return channel;
}

void Association::Adopt(const Address& own, std::shared_ptr<AgentChannel> channel) {
  const QuietLock lock(mutex_);
  own_ = own;
  relay_.reset();
  SetChecked(0);
  channel_ = std::move(channel);
  open_ = true;
}

void Association::Inherit(int fd) {
  SocketAddress name;
  const auto own = OwnAddress(fd);
  if (!own || own->port == 0 || !LocalName(fd, &name)) return;
  if (auto channel = AdoptChannel(fd, SOCK_DGRAM)) return Adopt(*own, std::move(channel));
  NoteBound(AddressFromSockaddr(name.get(), name.length)->IsUnspecified() ? Bound::kWildcard
                                                                          : Bound::kAddress);
}

// Is the association well? False with errno: EPIPE when the agent has gone, or the reason for which
// it has failed, which has been reported.
bool Association::Check(const std::shared_ptr<AgentChannel>& channel, LogLevel level) {
  AgentRequest request;
  request.kind = AgentRequest::Kind::kState;
  const auto reply = channel->Ask(request);
  if (!reply) {
    if (errno == EPIPE) Lose(channel);
    return false;
  }
  if (reply->error != 0) {
    Report(*reply, level);
    ForgetStandIns();
    errno = reply->error;
    return false;
  }
  const QuietLock lock(mutex_);
  if (reply->bound.port != 0) {
    relay_ = reply->bound;
    SetChecked(NowMs());
  }
  return true;
}

std::optional<SocketAddress> Association::Ask(int fd, const std::shared_ptr<AgentChannel>& channel,
                                              const Peer& peer, bool wait, LogLevel level) {
  AgentRequest request;
  request.kind = AgentRequest::Kind::kReach;
  request.wait = wait;
  request.peer = peer.destination;
  const auto reply = channel->Ask(request);
  if (!reply) {
    if (errno == EPIPE) Lose(channel);
    return std::nullopt;
  }
  if (reply->error != 0) {
    Report(*reply, level);
    ForgetStandIns();
    errno = reply->error;
    return std::nullopt;
  }
  const auto named = AddressFromSockaddr(peer.named.get(), peer.named.length);
  const auto stand_in = SockaddrFromAddress(reply->stand_in, peer.named.family());
  if (!named || !stand_in) return errno = EAFNOSUPPORT, std::nullopt;
  NoteDatagramStandIn(fd, *stand_in, peer.named);
  const int64_t now = NowMs();
  const QuietLock lock(mutex_);
  if (to_.size() >= kMaxPeers) {
    std::erase_if(to_, [&](const auto& entry) { return now - entry.second.used_ms >= kIdleMs; });
    if (to_.size() >= kMaxPeers) to_.clear();
  }
  if (from_.size() >= 2 * kMaxPeers) from_.clear();  // they are asked for again
  StandIn& entry = to_[KeyOf(*named)];
  entry.address = *stand_in;
  entry.peer = peer;
  entry.used_ms = now;
  if (reply->max_data != 0) entry.max_data = reply->max_data;
  from_[KeyOf(reply->stand_in)] = peer;
  if (reply->bound.port != 0) relay_ = reply->bound;
  if (wait) SetChecked(now);
  return stand_in;
}

// The agent has gone.
void Association::Lose(const std::shared_ptr<AgentChannel>& channel) {
  std::shared_ptr<AgentChannel> old;
  {
    const QuietLock lock(mutex_);
    if (channel_ != channel) return;
    old = std::move(channel_);
    open_ = false;
    SetChecked(0);
    DropStandIns();
  }
  old.reset();
  errno = EPIPE;
}

void Association::ForgetStandIns() {
  const QuietLock lock(mutex_);
  SetChecked(0);
  DropStandIns();
}

void Association::DropStandIns() {
  to_.clear();
  std::erase_if(from_, [&](const auto& entry) { return entry.first != connected_; });
}

}  // namespace socksify
