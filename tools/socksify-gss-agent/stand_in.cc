#include "tools/socksify-gss-agent/stand_in.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "lib/io/socket_address.h"
#include "lib/wire/datagram.h"
#include "tools/socksify-gss-agent/loopback.h"

namespace socksify {
namespace {

constexpr size_t kMostReached = 4096;
constexpr size_t kMostUnknown = 256;
constexpr int kRoom = 1 << 20;  // for bursts, as far as the system allows
constexpr size_t kMostGone = 12'000;
constexpr int kTries = 16;  // for a port that has played nobody yet

int Family(const Address& address) {
  return address.type == AddressType::kIpv4 ? AF_INET : AF_INET6;
}

// Both return errno, or 0.
int BindTo(int fd, const Address& address) {
  const auto name = SockaddrFromAddress(address, Family(address));
  return name && bind(fd, name->get(), name->length) == 0 ? 0 : errno;
}
int ConnectTo(int fd, const Address& address) {
  const auto name = SockaddrFromAddress(address, Family(address));
  return name && connect(fd, name->get(), name->length) == 0 ? 0 : errno;
}

void Drain(int fd) {
  char octet;
  while (recv(fd, &octet, 1, MSG_DONTWAIT) >= 0 || errno == ECONNREFUSED) {
  }
}

}  // namespace

StandIn::StandIn(uv_loop_t* loop, StandInOwner* owner, const Address& peer)
    : owner_(owner),
      peer_(peer),
      watch_(
          loop,
          [](void* self) {
            auto* stand_in = static_cast<StandIn*>(self);
            stand_in->owner_->OnStandIn(*stand_in);
          },
          this) {
  (void)AppendDatagramHead(head_, peer);
}

StandIns::StandIns(uv_loop_t* loop, StandInOwner* owner, Address own)
    : loop_(loop), owner_(owner), own_(std::move(own)) {}

StandIn* StandIns::Reach(const Address& peer, int* error) {
  StandIn* found = Find(peer);
  if (found != nullptr && found->peer_ == peer) {
    Touch(*found);
    return found;
  }
  if (found != nullptr) {  // a name's, so far; but who asks for an address does not mean the name
    found->source_.reset();
    by_peer_.erase(peer);
  }
  return Make(peer, true, error);
}

StandIn* StandIns::Meet(const Address& source) {
  int error;
  if (StandIn* known = Find(source)) {
    known->located_ = true;
    List& list = known->reached_ ? reached_ : unknown_;
    list.splice(list.begin(), list, by_peer_.at(known->peer_));
    return known;
  }
  if (StandIn* named = Attribute(source)) return named;
  // The application's socket could not have it from the kernel either.
  if (source.type == AddressType::kIpv6 && own_.type == AddressType::kIpv4) return nullptr;
  return Make(source, false, &error);
}

void StandIns::Touch(StandIn& stand_in) {
  const auto at = by_peer_.at(stand_in.peer_);
  reached_.splice(reached_.begin(), std::exchange(stand_in.reached_, true) ? reached_ : unknown_,
                  at);
}

const Address* StandIns::WhoIs(const Address& stand_in) const {
  if (stand_in != LoopbackAddress(stand_in.type, stand_in.port)) return nullptr;
  const auto found = played_.find(stand_in.port);
  return found == played_.end() ? nullptr : &found->second;
}

int StandIns::Move(const Address& own) {
  if (own.port == 0 || own.type == AddressType::kName) return EINVAL;
  own_ = own;
  if (refusing_) return 0;
  for (List* list : {&reached_, &unknown_}) {
    for (const StandIn& stand_in : *list) (void)Connect(stand_in);
  }
  return 0;
}

void StandIns::Listen(bool listen) {
  listening_ = listen;
  for (List* list : {&reached_, &unknown_}) {
    for (StandIn& stand_in : *list) {
      (void)stand_in.watch_.Start(stand_in.socket(), listen ? UV_READABLE : 0);
    }
  }
}

void StandIns::Refuse(bool refuse) {
  refusing_ = refuse;
  for (List* list : {&reached_, &unknown_}) {
    for (const StandIn& stand_in : *list) {
      (void)Connect(stand_in);
      if (refuse) Drain(stand_in.socket());
    }
  }
}

StandIn* StandIns::Pending() {
  char octet;
  for (StandIn& stand_in : reached_) {
    ssize_t came;
    do {  // one to the application may have been refused, which says nothing of what has come
      came = recv(stand_in.socket(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    } while (came < 0 && errno == ECONNREFUSED);
    if (came >= 0) return &stand_in;
  }
  return nullptr;
}

void StandIns::ForgetSources() {
  for (List* list : {&reached_, &unknown_}) {
    for (StandIn& stand_in : *list) {
      stand_in.located_ = false;
      if (stand_in.source_) by_peer_.erase(*stand_in.source_);
      stand_in.source_.reset();
    }
  }
}

size_t StandIns::Hash::operator()(const Address& address) const {
  const std::hash<std::string_view> hash;
  const size_t host =
      address.type == AddressType::kName ? hash(address.name) : hash(AsText(address.ip_octets()));
  return host * 65599 + address.port;
}

StandIn* StandIns::Find(const Address& peer) {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? nullptr : &*found->second;
}

// Servers answer with the address of a peer that was asked for by name. It is the name's if there
// is just one that it can be.
StandIn* StandIns::Attribute(const Address& source) {
  if (source.type == AddressType::kName) return nullptr;
  StandIn* only = nullptr;
  for (StandIn& stand_in : reached_) {
    if (stand_in.peer_.type != AddressType::kName || stand_in.peer_.port != source.port ||
        stand_in.located_) {
      continue;
    }
    if (only != nullptr) return nullptr;
    only = &stand_in;
  }
  if (only == nullptr) return nullptr;
  only->located_ = true;
  only->source_ = source;
  by_peer_.emplace(source, by_peer_.at(only->peer_));
  return only;
}

StandIn* StandIns::Make(const Address& peer, bool reached, int* error) {
  List& list = reached ? reached_ : unknown_;
  if (list.size() >= (reached ? kMostReached : kMostUnknown)) Drop(list, std::prev(list.end()));
  list.emplace_front(loop_, owner_, peer);
  StandIn& made = list.front();
  made.reached_ = reached;
  *error = Open(made);
  while ((*error == EMFILE || *error == ENFILE) && DropLeastUsed()) *error = Open(made);
  if (*error == 0 && listening_ && !made.watch_.Start(made.socket(), UV_READABLE)) *error = ENOBUFS;
  if (*error != 0) {
    list.pop_front();
    return nullptr;
  }
  by_peer_.emplace(peer, list.begin());
  played_.emplace(made.address_.port, peer);
  return &made;
}

int StandIns::Open(StandIn& stand_in) {
  if (own_.port == 0 || own_.type == AddressType::kName) return EINVAL;
  int error = 0;
  for (int i = 0; i < kTries; i++) {
    error = Bind(stand_in, LoopbackAddress(own_.type, 0));
    // A host without IPv6: a socket of IPv6 that is bound to no address gets along with IPv4.
    if ((error == EADDRNOTAVAIL || error == EAFNOSUPPORT) && own_.IsUnspecified()) {
      error = Bind(stand_in, LoopbackAddress(AddressType::kIpv4, 0));
    }
    if (error != 0) return error;
    if (!played_.contains(stand_in.address_.port)) break;
    error = EADDRINUSE;
  }
  if (error == 0) error = Connect(stand_in);
  if (error == 0) Drain(stand_in.socket());  // whatever anybody sent before that
  return error;
}

int StandIns::Bind(StandIn& stand_in, const Address& host) {
  UniqueFd fd(socket(Family(host), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() == -1) return errno;
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kRoom, sizeof kRoom);
  if (const int error = BindTo(fd.get(), host); error != 0) return error;
  sockaddr_storage name = {};
  socklen_t size = sizeof name;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return errno;
  stand_in.address_ =
      AddressFromSockaddr(reinterpret_cast<sockaddr*>(&name), size).value_or(Address());
  stand_in.socket_ = std::move(fd);
  return 0;
}

// To the application's socket; to itself, so that nobody else's datagrams fit it, while it refuses.
int StandIns::Connect(const StandIn& stand_in) const {
  if (refusing_) return ConnectTo(stand_in.socket(), stand_in.address_);
  if (!own_.IsUnspecified()) return ConnectTo(stand_in.socket(), own_);
  return ConnectTo(stand_in.socket(), LoopbackAddress(stand_in.address_.type, own_.port));
}

bool StandIns::DropLeastUsed() {
  List& list = unknown_.size() > 1 ? unknown_ : reached_;
  if (list.size() < 2) return false;  // the first is the one that is being made
  Drop(list, std::prev(list.end()));
  return true;
}

void StandIns::Drop(List& list, List::iterator at) {
  by_peer_.erase(at->peer_);
  if (at->source_) by_peer_.erase(*at->source_);
  gone_.push_back(at->address_.port);
  if (gone_.size() > kMostGone) {
    played_.erase(gone_.front());
    gone_.pop_front();
  }
  list.erase(at);
}

}  // namespace socksify
