#include "shim/proxied_connect.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {
namespace {

int Fail(int error) {
  errno = error;
  return -1;
}

int SocketOption(int fd, int option) {  // -1 with errno when it is no socket
  int value = 0;
  socklen_t size = sizeof value;
  return real::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool IsBlocking(int fd) { return (real::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

// connect() on a socket that has been told to connect before.
int ConnectAgain(Connection& connection, int fd) {
  if (connection.phase() == Connection::Phase::kConnecting) {
    if (!IsBlocking(fd)) return Fail(EALREADY);
    if (!connection.AwaitOutcome()) return -1;
  }
  if (int error = connection.TakeError(); error != 0) return Fail(error);
  return connection.TakeSuccess() ? 0 : Fail(EISCONN);
}

// Runs the attempt in this thread. A signal that would interrupt connect(2) leaves it to the service,
// as the kernel goes on with a connection in the background.
int NegotiateHere(const ConnectionRef& connection, int fd) {
  Attempt& attempt = *connection->attempt;
  Attempt::Next next = Attempt::Next::kPrepare;
  for (;;) {
    while (next == Attempt::Next::kPrepare) next = attempt.Prepare();
    if (next != Attempt::Next::kFailed) next = attempt.Step(fd);
    if (next == Attempt::Next::kPrepare) continue;
    if (next == Attempt::Next::kEstablished || next == Attempt::Next::kFailed) break;
    const bool readable = next == Attempt::Next::kWaitReadable;
    pollfd wait = {fd, static_cast<short>(readable ? POLLIN : POLLOUT), 0};
    const int ready = real::poll(&wait, 1, MillisecondsUntil(attempt.deadline()));
    if (ready == 0) {
      attempt.Expire();
      next = Attempt::Next::kFailed;
      break;
    }
    if (ready < 0 && errno == EINTR && !SignalsRestartCalls()) {
      Service::Negotiate(connection, fd, /*prepared=*/true);
      return Fail(EINTR);
    }
    if (!DescriptorTable::Is(fd, connection.get())) return Fail(EBADF);  // closed by another thread
  }
  connection->Finish(fd, next);
  if (next == Attempt::Next::kFailed) return Fail(connection->TakeError());
  connection->TellSuccess();
  return 0;
}

int ConnectThroughServer(int fd, const Address& destination, const sockaddr* address,
                         socklen_t length) {
  const int family = SocketOption(fd, SO_DOMAIN);
  if (address->sa_family != family) return Fail(EAFNOSUPPORT);
  if (static_cast<unsigned>(fd) >= DescriptorTable::kNumbers) return Fail(EMFILE);
  if (DescriptorTable::Get(fd) == DescriptorTable::Mark::kStdio) {
    ReportOnce("a stream (fdopen) on a socket that is not connected yet cannot be wrapped");
    return Fail(EACCES);
  }
  sockaddr_storage connected;
  socklen_t connected_size = sizeof connected;
  if (real::getpeername(fd, reinterpret_cast<sockaddr*>(&connected), &connected_size) == 0) {
    return Fail(EISCONN);
  }
  Guard guard;
  const Core* core = Runtime::GetCore();
  if (core == nullptr) return Fail(EACCES);

  SocketAddress peer;
  peer.length = std::min<socklen_t>(length, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  memcpy(&peer.storage, address, peer.length);
  ConnectionRef connection = Connection::New(destination, peer);
  connection->attempt = std::make_unique<Attempt>(*Runtime::GetConfig(), *core, destination, family);
  DescriptorTable::Set(fd, connection);
  Registrations::Hold(fd, connection.get());
  if (IsBlocking(fd)) return NegotiateHere(connection, fd);
  Service::Negotiate(connection, fd, /*prepared=*/false);
  return Fail(EINPROGRESS);
}

// AF_UNSPEC dissolves an association.
int Disconnect(int fd, const sockaddr* address, socklen_t length) {
  const int result = real::connect(fd, address, length);
  if (result == 0 && DescriptorTable::Get(fd) == DescriptorTable::Mark::kConnection) {
    DescriptorTable::Set(fd, DescriptorTable::Mark::kFreshSocket);
  }
  return result;
}

}  // namespace

int ConnectDescriptor(int fd, const sockaddr* address, socklen_t length) {
  if (Guard::active() || address == nullptr || length < sizeof address->sa_family) {
    return real::connect(fd, address, length);
  }
  if (address->sa_family == AF_UNSPEC) return Disconnect(fd, address, length);
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
    return real::connect(fd, address, length);
  }
  if (ConnectionRef connection = DescriptorTable::Find(fd)) {
    const int result = ConnectAgain(*connection, fd);
    if (connection->phase() != Connection::Phase::kFailed || errno != EISCONN) return result;
    // It failed and the application knows: a new attempt.
  }
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0) return real::connect(fd, address, length);  // no socket: the kernel's answer
  if (type != SOCK_STREAM) {
    return MaySendDatagram(fd, address, length) ? real::connect(fd, address, length) : -1;
  }
  const Route route = RouteTo(address, length);
  switch (route.kind) {
    case Route::Kind::kDirect:
      return real::connect(fd, address, length);
    case Route::Kind::kRefuse:
      return Fail(route.error);
    case Route::Kind::kProxy:
      break;
  }
  if (SocketOption(fd, SO_PROTOCOL) == IPPROTO_SCTP) return Fail(EACCES);
  return ConnectThroughServer(fd, route.destination, address, length);
}

bool MaySendDatagram(int fd, const sockaddr* address, socklen_t length) {
  if (Guard::active() || address == nullptr || length < sizeof address->sa_family) return true;
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return true;
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0 || type == SOCK_STREAM) return true;
  const Route route = RouteTo(address, length);
  if (route.kind == Route::Kind::kDirect) return true;
  const Config* config = Runtime::GetConfig();
  if (config != nullptr && config->udp == UdpMode::kDirect && route.kind == Route::Kind::kProxy &&
      route.destination.type != AddressType::kName) {
    return true;
  }
  if (config != nullptr && config->udp == UdpMode::kRelay) {
    ReportOnce("datagrams cannot go through the server (this version has no UDP ASSOCIATE); "
               "they are refused, see --udp");
  }
  errno = route.kind == Route::Kind::kRefuse ? route.error : EACCES;
  return false;
}

}  // namespace socksify
