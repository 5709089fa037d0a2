#include "shim/listeners.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "shim/agent_process.h"
#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/guard.h"
#include "shim/inherited_channels.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/signals.h"
#include "shim/socket_facts.h"
#include "shim/stand_in.h"
#include "shim/stand_in_names.h"
#include "shim/user_memory.h"

namespace socksify {

// Shared by the descriptors of one socket.
class Listener {
 public:
  explicit Listener(SocketAddress wanted) : wanted_(wanted) {}

  const SocketAddress& wanted() const { return wanted_; }

  // Asks the server to listen, unless it does. False with errno; reported.
  bool Ask(int fd);
  void Adopt(std::shared_ptr<AgentChannel> channel);
  std::shared_ptr<AgentChannel> channel();

  // The server is to listen no more, until it is asked again. For all processes that have it.
  void End();
  bool ended();

  // What the program has been told of where the server listens.
  void Told(const SocketAddress& name);
  std::optional<SocketAddress> told();

  static void BeforeFork() { mutex_.Lock(); }
  static void AfterFork(bool in_child) { in_child ? mutex_.Reinitialise() : mutex_.Unlock(); }
  void AfterForkInChild() { asking_.Reinitialise(); }

 private:
  static inline constinit Mutex mutex_;  // guards the last three, so that a fork finds them whole

  const SocketAddress wanted_;  // what the program has bound it to
  Mutex asking_;                // held while the agent is asked, signals blocked
  std::shared_ptr<AgentChannel> channel_;
  bool ended_ = false;
  std::optional<SocketAddress> told_;
};

bool Listener::Ask(int fd) {
  const QuietLock asking(asking_);
  if (channel() != nullptr && !ended()) return true;
  SocketAddress local;
  if (!LocalName(fd, &local)) return false;
  const auto own = AddressFromSockaddr(local.get(), local.length);
  if (!own) return errno = EINVAL, false;
  AgentRequest request;
  request.kind = AgentRequest::Kind::kListen;
  request.own = *own;
  std::shared_ptr<AgentChannel> channel;
  const auto reply = AgentProcess::Open(request, &channel);
  if (!reply) return false;
  if (channel == nullptr) {
    if (!reply->message.empty()) ReportOnce(reply->message);
    return errno = reply->error, false;
  }
  NoteChannel(fd, SOCK_STREAM, *channel);
  Adopt(std::move(channel));
  return true;
}

void Listener::Adopt(std::shared_ptr<AgentChannel> channel) {
  const QuietLock lock(mutex_);
  std::swap(channel_, channel);
  ended_ = false;
}

std::shared_ptr<AgentChannel> Listener::channel() {
  const QuietLock lock(mutex_);
  return channel_;
}

void Listener::End() {
  const QuietLock lock(mutex_);
  ended_ = true;
  if (channel_ != nullptr) (void)real::shutdown(channel_->fd(), SHUT_RDWR);
}

bool Listener::ended() {
  const QuietLock lock(mutex_);
  return ended_ || (channel_ != nullptr && channel_->ended());
}

void Listener::Told(const SocketAddress& name) {
  const QuietLock lock(mutex_);
  told_ = name;
}

std::optional<SocketAddress> Listener::told() {
  const QuietLock lock(mutex_);
  return told_;
}

namespace {

using Mark = DescriptorTable::Mark;

// Are listeners the server's here, and is it a TCP socket that could become one?
bool MayListen(int fd) {
  const Mark mark = DescriptorTable::Get(fd);
  if (Guard::active() || InVforkChild()) return false;
  if (mark == Mark::kConnection) {
    const ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection || connection->phase() != Connection::Phase::kIdle) return false;
  } else if (mark != Mark::kFreshSocket) {
    return false;
  }
  const Config* config = Runtime::GetConfig();
  return config != nullptr && config->bind && SocketOption(fd, SO_PROTOCOL) == IPPROTO_TCP;
}

std::optional<Address> AddressOf(const SocketAddress& name) {
  return AddressFromSockaddr(name.get(), name.length);
}

// Can only one of two sockets be bound to these, of the same port?
bool Overlap(const Address& one, const Address& other) {
  return one.IsUnspecified() || other.IsUnspecified() ||
         (one.type == other.type && one.ip == other.ip);
}

// Where the agent connects to the application, for a socket to be bound to `wanted`.
SocketAddress OnLoopback(int fd, const Address& wanted, int family, uint16_t port) {
  std::array<uint8_t, 16> six = {};
  six[15] = 1;
  const bool by_six = family == AF_INET6 && wanted.type == AddressType::kIpv6 &&
                      (!wanted.IsUnspecified() || IsV6Only(fd));
  const Address own = by_six ? Address::Ipv6(six, port) : Address::Ipv4({127, 0, 0, 1}, port);
  return *SockaddrFromAddress(own, family);
}

// Could a socket be bound there, but for the port? False with errno.
bool IsOurs(int family, const Address& wanted) {
  if (wanted.IsUnspecified()) return true;
  Address any_port = wanted;
  any_port.port = 0;
  const auto name = SockaddrFromAddress(any_port, family);
  const int scratch = OwnDescriptor::Adopt(real::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (scratch < 0) return false;
  const bool ours = real::bind(scratch, name->get(), name->length) == 0;
  const int error = errno;
  OwnDescriptor::Close(scratch);
  errno = error;
  return ours;
}

void StopListening(int fd) {
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  (void)real::connect(fd, &nowhere, sizeof nowhere);
}

// As accept() has given it: a connection that has been reset since no longer says it itself.
bool CopyName(const sockaddr* address, socklen_t room, const socklen_t* length, SocketAddress* to) {
  if (address == nullptr || *length > room) return false;
  memcpy(&to->storage, address, *length);
  to->length = *length;
  return true;
}

// Who is at the other end of what has been accepted. nullopt: nobody who has come to the server.
std::optional<ConnectionNames> WhoHasCome(Listener& listener, const SocketAddress& from) {
  const auto channel = listener.channel();
  const auto stand_in = AddressFromSockaddr(from.get(), from.length);
  if (channel == nullptr || !stand_in) return std::nullopt;
  AgentRequest request;
  request.kind = AgentRequest::Kind::kWhoIs;
  request.peer = *stand_in;
  const SignalsBlocked no_handler;  // it has been accepted: there is no EINTR any more
  const auto reply = channel->Ask(request);
  if (!reply || reply->error != 0) return std::nullopt;
  const auto local = SockaddrFromAddress(reply->bound, from.family());
  const auto peer = SockaddrFromAddress(reply->peer, from.family());
  if (!local || !peer) return ConnectionNames{from, from};
  return ConnectionNames{*local, *peer};
}

}  // namespace

std::shared_ptr<Listener> Listeners::Find(int fd) {
  if (auto listener = map_.Find(fd)) return listener;
  // One that came with the program.
  const Config* config = DescriptorTable::Get(fd) == Mark::kNone && !Guard::active() &&
                                 !InVforkChild() && SocketOption(fd, SO_ACCEPTCONN) > 0
                             ? Runtime::GetConfig()
                             : nullptr;
  if (config == nullptr || !config->bind) return nullptr;
  auto channel = AdoptChannel(fd, SOCK_STREAM);
  if (channel == nullptr) return nullptr;
  auto listener = std::make_shared<Listener>(SocketAddress());
  listener->Adopt(std::move(channel));
  map_.Put(fd, listener);
  DescriptorTable::Set(fd, Mark::kFreshSocket);
  return listener;
}

int Listeners::ChannelOf(Listener& listener) {
  const auto channel = listener.channel();
  return channel != nullptr ? channel->fd() : -1;
}

// As a rule the port asked for, so that the kernel says whether it is taken. But all addresses are
// one on loopback: any port where this process has that one at other addresses, and where it has it
// at this address, the one that stands for it.
uint16_t Listeners::LoopbackPort(const Address& wanted) {
  if (wanted.port == 0) return 0;
  uint16_t port = wanted.port;
  for (const auto& [fd, listener] : map_.All()) {
    const auto bound = AddressOf(listener->wanted());
    const auto told = listener->told();
    if (!bound || (bound->port != wanted.port && (!told || AddressOf(*told)->port != wanted.port)))
      continue;
    SocketAddress own;
    if (Overlap(*bound, wanted)) return LocalName(fd, &own) ? AddressOf(own)->port : wanted.port;
    if (bound->type == wanted.type) port = 0;
  }
  return port;
}

int Listeners::Bind(int fd, const sockaddr* address, socklen_t length) {
  if (!MayListen(fd) || length > sizeof(sockaddr_storage) || !IsReadable(address, length))
    return real::bind(fd, address, length);
  const int family = SocketOption(fd, SO_DOMAIN);
  const auto wanted = AddressFromSockaddr(address, length);
  if (!wanted || address->sa_family != family ||
      (!wanted->IsUnspecified() && RouteTo(address, length).kind == Route::Kind::kDirect)) {
    return real::bind(fd, address, length);
  }
  if (!IsOurs(family, *wanted)) return -1;
  const SocketAddress own = OnLoopback(fd, *wanted, family, LoopbackPort(*wanted));
  const int result = real::bind(fd, own.get(), own.length);
  if (result == 0) {
    map_.Put(fd, std::make_shared<Listener>(*SockaddrFromAddress(*wanted, family)));
  }
  return result;
}

int Listeners::Listen(int fd, int backlog) {
  auto listener = Find(fd);
  if (listener == nullptr && MayListen(fd)) {  // never bound: the kernel would choose a port
    SocketAddress any;
    if (LocalName(fd, &any) && AddressFromSockaddr(any.get(), any.length)->port == 0 &&
        Bind(fd, any.get(), any.length) == 0) {
      listener = map_.Find(fd);
    }
  }
  const bool fresh = SocketOption(fd, SO_ACCEPTCONN) == 0;
  const int result = real::listen(fd, backlog);
  if (result != 0 || listener == nullptr || listener->Ask(fd)) return result;
  const int error = errno;
  if (fresh) {
    StopListening(fd);
    listener->End();
  }
  errno = error;
  return -1;
}

int Listeners::Accept(int fd, sockaddr* address, socklen_t* length, int flags) {
  for (;;) {
    const socklen_t room = IsReadable(length, sizeof *length) ? *length : 0;
    const int accepted = real::accept4(fd, address, length, flags);  // nothing is held here
    if (accepted < 0) return -1;
    const int saved_errno = errno;
    const auto listener = Find(fd);
    SocketAddress from;
    if (listener == nullptr ||
        (!PeerName(accepted, &from) && !CopyName(address, room, length, &from))) {
      return errno = saved_errno, accepted;
    }
    if (const auto names = WhoHasCome(*listener, from)) {
      NoteStandIn(accepted, *names);
      if (address != nullptr) {
        memcpy(address, names->peer.get(), std::min(room, names->peer.length));
        *length = names->peer.length;
      }
      return errno = saved_errno, accepted;
    }
    if (RouteTo(from.get(), from.length).kind == Route::Kind::kDirect) {
      return errno = saved_errno, accepted;
    }
    (void)real::close(accepted);  // a stranger on this host
    if (length != nullptr) *length = room;
    errno = saved_errno;
  }
}

std::optional<SocketAddress> Listeners::NameOf(int fd) {
  const auto listener = Find(fd);
  if (listener == nullptr || InVforkChild()) return std::nullopt;
  if (listener->ended()) return listener->told();
  if (!listener->Ask(fd)) return std::nullopt;
  const auto channel = listener->channel();
  AgentRequest request;
  request.wait = true;              // each accept has the server listen anew
  const SignalsBlocked no_handler;  // getsockname knows no EINTR
  const auto reply = channel->Ask(request);
  if (!reply || reply->error != 0) return std::nullopt;
  const auto name = SockaddrFromAddress(reply->bound, SocketOption(fd, SO_DOMAIN));
  if (name) listener->Told(*name);
  return name;
}

int Listeners::ShutDown(int fd, int how) {
  const auto listener = how != SHUT_WR ? Find(fd) : nullptr;
  const int result = real::shutdown(fd, how);
  if (result == 0 && listener != nullptr) listener->End();
  return result;
}

int Listeners::Dissolve(int fd, const sockaddr* nowhere, socklen_t length) {
  const auto listener = Find(fd);
  const int result = real::connect(fd, nowhere, length);
  if (result == 0 && listener != nullptr) listener->End();
  return result;
}

bool Listeners::Settle(int fd) {
  const auto listener = InVforkChild() ? nullptr : map_.Find(fd);
  const auto channel = listener != nullptr ? listener->channel() : nullptr;
  if (channel == nullptr) return false;
  AgentRequest request;
  request.kind = AgentRequest::Kind::kSettle;
  const SignalsBlocked no_handler;
  return channel->Ask(request).has_value();
}

bool Listeners::BeforeConnect(int fd) {
  if (map_.empty() || SocketOption(fd, SO_ACCEPTCONN) > 0) return true;
  const auto listener = map_.Take(fd);
  if (listener == nullptr) return true;
  const int flags = real::fcntl(fd, F_GETFD);
  const int fresh =
      real::socket(SocketOption(fd, SO_DOMAIN), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fresh < 0) return false;
  CopySettings(fd, fresh);
  const bool replaced = real::dup3(fresh, fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) == fd;
  const int error = errno;
  (void)real::close(fresh);
  errno = error;
  const SocketAddress& wanted = listener->wanted();
  return replaced && (wanted.length == 0 || real::bind(fd, wanted.get(), wanted.length) == 0);
}

void Listeners::Share(int fd, int copy) {
  if (auto listener = map_.Find(fd)) map_.Put(copy, std::move(listener));
}

void Listeners::Forget(int fd) { (void)map_.Take(fd); }

void Listeners::BeforeFork() {
  map_.BeforeFork();
  Listener::BeforeFork();
}

void Listeners::AfterFork(bool in_child) {
  Listener::AfterFork(in_child);
  map_.AfterFork(in_child);
  if (!in_child) return;
  for (const auto& [fd, listener] : map_.All()) listener->AfterForkInChild();
}

}  // namespace socksify
