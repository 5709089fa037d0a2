#include "shim/attempt.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/io/socket_address.h"
#include "shim/library_call.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/server_addresses.h"

namespace socksify {
namespace {

ssize_t RealRecv(int fd, void* octets, size_t count, int flags) {
  return real::recv(fd, octets, count, flags);
}
ssize_t RealSend(int fd, const void* octets, size_t count, int flags) {
  return real::send(fd, octets, count, flags);
}
int RealPoll(pollfd* fds, nfds_t count, int timeout_ms) {
  return real::poll(fds, count, timeout_ms);
}

constexpr SocketCalls kRealSocketCalls = {&RealRecv, &RealSend, &RealPoll};

// connect(2) that does not wait, also on a blocking socket: there the send timeout bounds it, and
// O_NONBLOCK, which other holders of the open file would see, is left alone.
int ConnectWithoutWaiting(int fd, const SocketAddress& to) {
  const int flags = real::fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  if ((flags & O_NONBLOCK) != 0) return real::connect(fd, to.get(), to.length);
  timeval before = {}, shortest = {0, 1};
  socklen_t size = sizeof before;
  (void)real::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, &size);
  (void)real::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &shortest, sizeof shortest);
  const int result = real::connect(fd, to.get(), to.length);
  const int error = errno;
  (void)real::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &before, sizeof before);
  errno = error;
  return result;
}

}  // namespace

Attempt::Attempt(const Config& config, const Core& core, const Address& destination, int family)
    : config_(config),
      core_(core),
      destination_(destination),
      family_(family),
      deadline_(Deadline::clock::now() + std::chrono::seconds(config.timeout_seconds)) {}

Attempt::~Attempt() {
  if (tcp_ == Tcp::kConnecting) ServerAddresses::Forget(server_);  // nobody has answered
  const LibraryCall call;
  handshake_.reset();
  engine_.reset();
}

void Attempt::Begin(int fd) {
  TakeAddresses(ServerAddresses::Known(server_));
  from_memory_ = !addresses_.empty();
  StartConnect(fd);
  if (from_memory_ && tcp_ == Tcp::kIdle) Misremembered();
}

Attempt::Next Attempt::Prepare() {
  const DescriptorHeadroom headroom;  // for credentials, sockets to the KDC
  handshake_.reset();
  engine_ = core_.new_client(config_, server(), Request{Command::kConnect, destination_});
  if (Status status = engine_->Prepare(); !status.ok()) return Fail(std::move(status));
  if (tcp_ == Tcp::kIdle && addresses_.empty() && !FindAddresses()) return NextServer();
  return Next::kWaitWritable;
}

Attempt::Next Attempt::Step(int fd) {
  if (handshake_) return Negotiate();
  if (tcp_ == Tcp::kConnecting) FinishConnect(fd);
  if (tcp_ == Tcp::kIdle) StartConnect(fd);
  if (tcp_ == Tcp::kConnecting) return Next::kWaitWritable;
  if (tcp_ == Tcp::kIdle) return NextServer();
  handshake_.emplace(kRealSocketCalls, fd, *engine_);
  return Negotiate();
}

Status Attempt::TimeoutError() const {
  return {Errc::kTimeout, "no answer within " + std::to_string(config_.timeout_seconds) +
                              " seconds; see --timeout"};
}

Attempt::Next Attempt::Fail(Status error) {
  error_ = std::move(error);
  return Next::kFailed;
}

Attempt::Next Attempt::NextServer() {
  if (from_memory_) {
    Misremembered();
    return Next::kPrepare;  // this one again, where it is now
  }
  ServerAddresses::Forget(server_);
  may_remember_ = true;
  if (server_ + 1 == config_.servers.size()) return Next::kFailed;
  ++server_;
  return Next::kPrepare;
}

void Attempt::Misremembered() {
  from_memory_ = may_remember_ = false;
  ServerAddresses::Forget(server_);
}

bool Attempt::FindAddresses() {
  from_memory_ = may_remember_;
  if (from_memory_) TakeAddresses(ServerAddresses::Known(server_));
  if (!addresses_.empty()) return true;
  from_memory_ = false;
  auto resolved = ResolveServer(server());
  if (!resolved.ok()) {
    error_ = resolved.status();
    return false;
  }
  ServerAddresses::Note(server_, *resolved);
  TakeAddresses(*resolved);
  if (!addresses_.empty()) return true;
  error_ = {Errc::kNetwork, "the server has no IPv4 address, and the program's socket is for IPv4"};
  return false;
}

// Those that the socket can be connected to.
void Attempt::TakeAddresses(const std::vector<Address>& addresses) {
  for (const Address& address : addresses) {
    if (SockaddrFromAddress(address, family_)) addresses_.push_back(address);
  }
}

// kIdle, with error_: there is no address left.
void Attempt::StartConnect(int fd) {
  while (!addresses_.empty()) {
    const Address address = addresses_.front();
    addresses_.erase(addresses_.begin());
    if (family_ == AF_INET6 && address.type == AddressType::kIpv4) {
      int off = 0;  // the server's address goes as a v4-mapped one
      (void)real::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (std::exchange(tried_,
                      true)) {  // a socket that has failed must forget it before it tries again
      sockaddr nowhere = {};
      nowhere.sa_family = AF_UNSPEC;
      (void)real::connect(fd, &nowhere, sizeof nowhere);
    }
    if (ConnectWithoutWaiting(fd, *SockaddrFromAddress(address, family_)) == 0) {
      tcp_ = Tcp::kConnected;
      return;
    }
    if (errno == EINPROGRESS || errno == EINTR || errno == EALREADY) {
      tcp_ = Tcp::kConnecting;
      return;
    }
    error_ = {Errc::kNetwork, std::string("the server cannot be reached: ") + strerror(errno)};
  }
}

// kIdle, with error_: it has failed.
void Attempt::FinishConnect(int fd) {
  pollfd ready = {fd, POLLOUT, 0};
  if (real::poll(&ready, 1, 0) == 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  if (real::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  tcp_ = error == 0 ? Tcp::kConnected : Tcp::kIdle;
  if (error != 0)
    error_ = {Errc::kNetwork, std::string("the server cannot be reached: ") + strerror(error)};
}

Attempt::Next Attempt::Negotiate() {
  const LibraryCall call;
  switch (handshake_->Step()) {
    case HandshakeStep::kWantRead:
      return Next::kWaitReadable;
    case HandshakeStep::kWantWrite:
      return Next::kWaitWritable;
    case HandshakeStep::kEnded:
      break;
  }
  if (!handshake_->established()) return Fail(handshake_->error());
  return Next::kEstablished;
}

}  // namespace socksify
