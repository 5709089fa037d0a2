#include "tools/socksd-gss/peer_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lib/config/text.h"
#include "tools/socksd-gss/connector.h"

namespace socksify {
namespace {

constexpr int kBacklog = 4;
constexpr uint16_t kFirstUserPort = 1024;

bool SameHost(const Address& a, const Address& b) {
  return a.type == b.type && std::ranges::equal(a.ip_octets(), b.ip_octets());
}

}  // namespace

PeerListener::PeerListener(uv_loop_t* loop, PeerListenerOwner* owner, const ServerRules& rules)
    : loop_(loop),
      owner_(owner),
      rules_(rules),
      lookup_(this),
      deadline_(
          loop, [](void* self) { static_cast<PeerListener*>(self)->OnDeadline(); }, this) {}

void PeerListener::Start(const Address& requested, const sockaddr_storage& local) {
  requested_ = requested;
  local_ = local;
  if (requested_.type == AddressType::kName) {
    // A name that is an address in text is judged as what it is.
    auto ip = ParseIp(requested_.name);
    if (!ip) {
      if (requested_.port != 0 && !rules_.targets.MayResolve(requested_)) {
        return owner_->OnListening(Reply::kNotAllowed, {});
      }
      if (lookup_.Start(loop_, requested_, SOCK_STREAM)) return;
      return owner_->OnListening(Reply::kHostUnreachable, {});
    }
    ip->port = requested_.port;
    requested_ = *ip;
  }
  Listen(requested_.IsUnspecified() ? std::vector<Address>() : std::vector{requested_});
}

void PeerListener::OnResolved(std::vector<Address> found) {
  if (found.empty()) return owner_->OnListening(Reply::kHostUnreachable, {});
  Listen(std::move(found));
}

void PeerListener::Listen(std::vector<Address> expected) {
  const bool anybody = expected.empty();
  if (!anybody && requested_.port != 0) {
    std::erase_if(expected,
                  [&](const Address& peer) { return !rules_.targets.Allows(requested_, peer); });
    if (expected.empty()) return owner_->OnListening(Reply::kNotAllowed, {});
  }
  expected_ = std::move(expected);
  if (anybody && requested_.port >= kFirstUserPort) {
    SetPort(&local_, requested_.port);
    listener_ = Listener::At(local_, kBacklog);
  }
  SetPort(&local_, 0);
  if (listener_ == nullptr) listener_ = Listener::At(local_, kBacklog);
  if (listener_ == nullptr) return owner_->OnListening(ReplyForError(-errno), {});
  listener_->Start(
      loop_,
      [](const Listener&, void* self) { (void)static_cast<PeerListener*>(self)->OnConnection(); },
      this);
  deadline_.Start(uint64_t{rules_.idle_seconds} * 1000);
  owner_->OnListening(Reply::kSucceeded, listener_->address());
}

void PeerListener::OnDeadline() {
  if (!OnConnection()) Finish(Reply::kTtlExpired, nullptr, {});  // the loop looks at timers first
}

// True: it has ended.
bool PeerListener::OnConnection() {
  sockaddr_storage address = {};
  const int fd = listener_->Accept(&address);
  if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
    Finish(Reply::kGeneralFailure, nullptr, {});
    return true;
  }
  if (fd < 0) return false;  // none after all: accept(2), "Error handling"
  const Address from = AddressOf(reinterpret_cast<sockaddr*>(&address));
  if (!Expects(from)) {
    (void)close(fd);
    return false;
  }
  StreamPtr peer = Stream::Open(loop_, fd);
  if (peer == nullptr) (void)close(fd);
  const Reply reply = peer != nullptr ? Reply::kSucceeded : Reply::kGeneralFailure;
  Finish(reply, std::move(peer), from);
  return true;
}

bool PeerListener::Expects(const Address& peer) const {
  if (!expected_.empty() && std::ranges::none_of(expected_, [&](const Address& expected) {
        return SameHost(expected, peer);
      })) {
    return false;
  }
  if (!expected_.empty() && requested_.port != 0) return true;  // judged as that
  if (expected_.empty()) return rules_.targets.Allows(peer, peer);
  Address requested = requested_;
  requested.port = peer.port;
  return rules_.targets.Allows(requested, peer);
}

void PeerListener::Finish(Reply reply, StreamPtr peer, const Address& from) {
  deadline_.Stop();
  listener_ = nullptr;
  owner_->OnPeer(reply, std::move(peer), from);  // may destroy this
}

}  // namespace socksify
