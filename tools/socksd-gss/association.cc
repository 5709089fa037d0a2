#include "tools/socksd-gss/association.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lib/base/log.h"
#include "lib/config/text.h"
#include "lib/engine/datagram_codec.h"
#include "tools/loop/stream.h"

namespace socksify {
namespace {

constexpr size_t kMostTargets = 1024;

// As Association::Why.
constexpr const char* kWhy[] = {"not from the client", "bad",       "denied", "unresolved",
                                "unasked for",         "too large", "unsent"};

Address SourceOf(const sockaddr_storage& from) {
  return AddressOf(reinterpret_cast<const sockaddr*>(&from));
}

bool SameHost(const Address& a, const Address& b) {
  return a.type == b.type && std::ranges::equal(a.ip_octets(), b.ip_octets());
}

}  // namespace

Association::Association(uv_loop_t* loop, AssociationOwner* owner, const ServerRules& rules,
                         SecurityLayer& layer, const Address& client, const Address& requested)
    : loop_(loop),
      owner_(owner),
      rules_(rules),
      layer_(layer),
      client_(client),
      // Behind a translator of addresses the client knows neither: then its port means nothing.
      client_port_(requested.IsUnspecified() || SameHost(requested, client) ? requested.port : 0),
      targets_(kMostTargets),
      names_(loop, this),
      passed_at_(uv_now(loop)),
      timer_(
          loop, [](void* self) { static_cast<Association*>(self)->OnTimer(); }, this) {}

int Association::Open(const sockaddr_storage& local) {
  relay_ = DatagramSocket::Open(loop_, this, local);
  if (relay_ == nullptr) return errno;
  OnTimer();
  return 0;
}

// --- from the client ---

bool Association::IsClient(const sockaddr_storage& from) const {
  const Address source = SourceOf(from);
  return SameHost(source, client_) && (client_port_ == 0 || source.port == client_port_);
}

void Association::OnDatagram(const sockaddr_storage& from, ByteSpan datagram) {
  if (!IsClient(from)) return Drop(kStrange);
  auto opened = OpenDatagram(layer_, datagram);
  if (!opened.ok()) return Drop(kBad);
  if (!std::exchange(heard_, true)) {
    client_at_ = from;
    client_port_ = SourceOf(from).port;
  }
  passed_at_ = uv_now(loop_);
  Address& target = opened->address;
  if (target.type == AddressType::kName) {
    // A name that is an address in text is judged as what it is.
    auto ip = ParseIp(target.name);
    if (!ip) {
      if (const auto* found = names_.Find(target)) return SendToName(target, *found, opened->data);
      if (!rules_.targets.MayResolve(target)) return Drop(kDenied);
      if (!names_.Ask(target, opened->data)) Drop(kUnresolved);
      return;
    }
    ip->port = target.port;
    SendToName(target, {Effective(*ip)}, opened->data);
    return;
  }
  SendToName(target, {Effective(target)}, opened->data);
}

void Association::OnName(const Address& name, const std::vector<Address>& found,
                         const std::vector<Bytes>& waiting) {
  for (const Bytes& data : waiting) SendToName(name, found, data);
  if (relay_ == nullptr) timer_.Start(0);
}

// To the first of the addresses that the rules allow and the kernel has a way to.
void Association::SendToName(const Address& name, const std::vector<Address>& found,
                             ByteView data) {
  if (found.empty()) return Drop(kUnresolved);
  int error = EACCES;
  for (const Address& target : found) {
    if (!MayReach(name, target)) continue;
    error = SendTo(name, target, data);
    if (error == 0) return;
    if (error == EMSGSIZE || error == EAGAIN) break;  // no other address changes that
  }
  Drop(error == EACCES ? kDenied : UnsentAs(error));
}

bool Association::MayReach(const Address& requested, const Address& target) const {
  const Address* known = targets_.Find(target);
  if (known != nullptr && *known == requested) return true;  // judged when it came in there
  const bool text = requested.type == AddressType::kName && ParseIp(requested.name).has_value();
  return rules_.targets.Allows(text ? target : requested, target);
}

int Association::SendTo(const Address& requested, const Address& target, ByteView data) {
  const sockaddr_storage to = SocketAddress(target);
  Outside& outside = target.type == AddressType::kIpv4 ? ipv4_ : ipv6_;
  if (outside.socket == nullptr) {
    sockaddr_storage any = {};
    any.ss_family = to.ss_family;
    outside.socket = DatagramSocket::Open(loop_, &outside, any);
    if (outside.socket == nullptr) return errno;
  }
  // Before it is sent: the answer may be here at once.
  targets_.Note(target, requested);
  const int error = outside.socket->Send(to, data);
  if (error != 0) return error;
  up_.datagrams++;
  up_.octets += data.size();
  return 0;
}

// --- from the targets ---

void Association::FromTarget(const sockaddr_storage& from, ByteSpan data) {
  if (relay_ == nullptr) return;
  const Address source = SourceOf(from);
  const Address* known = targets_.Find(source);
  if (known == nullptr) {
    if (rules_.udp_sources.empty() || !rules_.udp_sources.Allows(source, source)) {
      return Drop(kUnasked);
    }
    known = &source;
  }
  sealed_.clear();
  if (!SealDatagram(layer_, *known, data, &sealed_).ok()) return Drop(kTooLarge);
  if (const int error = relay_->Send(client_at_, sealed_); error != 0) {
    return Drop(UnsentAs(error));
  }
  passed_at_ = uv_now(loop_);
  down_.datagrams++;
  down_.octets += data.size();
}

// --- both ---

// Anybody can make datagrams come, so one of each kind is all that is told.
void Association::Drop(Why why) {
  if (drops_[why]++ == 0 && Log::Enabled(LogLevel::kDebug)) {
    Log::Debug("client " + client_.ToString() + ": a datagram is dropped: " + kWhy[why]);
  }
}

void Association::ReceiveAll() {
  for (DatagramSocket* socket : {relay_.get(), ipv4_.socket.get(), ipv6_.socket.get()}) {
    if (socket != nullptr) socket->ReceiveAll();
  }
}

bool Association::Finish() {
  if (relay_ != nullptr) {
    relay_->ReceiveAll();
    relay_ = nullptr;
    timer_.Stop();
  }
  return !names_.waits();
}

void Association::OnTimer() {
  if (relay_ == nullptr) {
    if (!names_.waits()) owner_->OnFinished();
    return;
  }
  const uint64_t limit = uint64_t{rules_.idle_seconds} * 1000;
  if (uv_now(loop_) - passed_at_ >= limit) ReceiveAll();  // the loop looks at timers first
  const uint64_t idle = uv_now(loop_) - passed_at_;
  if (idle >= limit) return owner_->OnIdle();
  timer_.Start(limit - idle);
}

std::string Association::Describe() const {
  const auto passed = [](const Passed& way) {
    return std::to_string(way.datagrams) + " datagrams of " + std::to_string(way.octets) +
           " octets";
  };
  std::string text = passed(up_) + " up, " + passed(down_) + " down";
  std::string dropped;
  for (size_t i = 0; i < kWhys; i++) {
    if (drops_[i] == 0) continue;
    dropped += (dropped.empty() ? ", dropped: " : ", ") + std::to_string(drops_[i]) + " " + kWhy[i];
  }
  return text + dropped;
}

}  // namespace socksify
