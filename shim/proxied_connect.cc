#include "shim/proxied_connect.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "shim/associations.h"
#include "shim/blocking_work.h"
#include "shim/connection.h"
#include "shim/datagrams.h"
#include "shim/descriptor_table.h"
#include "shim/dns_stub.h"
#include "shim/guard.h"
#include "shim/listeners.h"
#include "shim/own_descriptor.h"
#include "shim/own_table.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/report.h"
#include "shim/route.h"
#include "shim/runtime.h"
#include "shim/service.h"
#include "shim/socket_facts.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

int Fail(int error) {
  errno = error;
  return -1;
}

// SO_SNDTIMEO bounds a blocking connect(2); -1: nothing does.
int ConnectTimeout(int fd) {
  timeval timeout = {};
  socklen_t size = sizeof timeout;
  (void)real::getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size);
  const int64_t milliseconds = timeout.tv_sec * 1000 + (timeout.tv_usec + 999) / 1000;
  return milliseconds == 0 ? -1 : static_cast<int>(std::min<int64_t>(milliseconds, INT_MAX));
}

void ForgetOldAttempt(int fd) {
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  (void)real::connect(fd, &nowhere, sizeof nowhere);
}

// Waits for the outcome and returns it as connect(2) does. A signal or the send timeout ends the
// wait; the attempt goes on in the background, as the kernel's own would.
int AwaitConnect(Connection& connection, int fd, int timeout_ms) {
  if (!connection.AwaitOutcome(timeout_ms)) return -1;
  if (int error = connection.TakeError(fd); error != 0) {
    ForgetOldAttempt(fd);  // the caller knows: poll has nothing to say about it
    return Fail(error);
  }
  if (connection.phase() == Connection::Phase::kIdle) return Fail(ECONNABORTED);  // abandoned
  return connection.TakeSuccess() ? 0 : Fail(EISCONN);
}

// connect() on a socket that has been told to connect before.
int ConnectAgain(Connection& connection, int fd) {
  if (connection.phase() == Connection::Phase::kConnecting && !IsBlocking(fd))
    return Fail(EALREADY);
  const int result = AwaitConnect(connection, fd, ConnectTimeout(fd));
  if (result != 0 && errno == EINPROGRESS) errno = EALREADY;  // the time is up, once more
  return result;
}

bool IsMappedOnV6Only(int fd, const sockaddr* address) {
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr) &&
         IsV6Only(fd);
}

// Who connects to 0.0.0.0 or :: has this host as its peer.
void NameLoopback(SocketAddress& peer) {
  if (peer.storage.ss_family == AF_INET) {
    auto& four = reinterpret_cast<sockaddr_in&>(peer.storage);
    if (four.sin_addr.s_addr == INADDR_ANY) four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(peer.storage);
    if (IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr)) six.sin6_addr = in6addr_loopback;
  }
}

bool LoadCore() {
  if (Runtime::LoadedCore() != nullptr) return true;
  const Guard guard;
  const BlockingWork work;  // the dynamic linker is no place to be forked in
  const DescriptorHeadroom headroom;
  if (headroom.enough()) return Runtime::GetCore() != nullptr;
  return RunWithOwnTable(-1, [] { (void)Runtime::GetCore(); }) && Runtime::LoadedCore() != nullptr;
}

void StartAttempt(const ConnectionRef& connection, int fd, const Address& destination, int family) {
  const SignalsBlocked signals;
  Service::Negotiate(
      connection, fd,
      std::make_unique<Attempt>(*Runtime::GetConfig(), *Runtime::GetCore(), destination, family));
}

int ConnectThroughServer(int fd, const Address& destination, const sockaddr* address,
                         socklen_t length) {
  const int family = SocketOption(fd, SO_DOMAIN);
  if (address->sa_family != family) return Fail(EAFNOSUPPORT);
  if (IsMappedOnV6Only(fd, address) || IsToMany(address)) return Fail(ENETUNREACH);
  if (IsOnNoLink(fd, address)) return Fail(EINVAL);
  if (static_cast<unsigned>(fd) >= DescriptorTable::kNumbers) return Fail(EMFILE);
  if (SocketOption(fd, SO_ACCEPTCONN) > 0) return Fail(EISCONN);  // it listens
  sockaddr_storage connected;
  socklen_t connected_size = sizeof connected;
  if (real::getpeername(fd, reinterpret_cast<sockaddr*>(&connected), &connected_size) == 0) {
    return Fail(EISCONN);
  }
  SocketAddress peer;
  peer.length =
      std::min<socklen_t>(length, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  memcpy(&peer.storage, address, peer.length);
  NameLoopback(peer);
  if (!LoadCore()) return Fail(EACCES);
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) {
    connection = Connection::New();
    DescriptorTable::Set(fd, connection);
  }
  if (!connection->options().Borrow(fd)) return -1;
  // stdio has streams on these, which would write past the shim.
  if (fd <= STDERR_FILENO) connection->DetachOnceEstablished();
  if (!connection->Begin(destination, peer)) return Fail(EALREADY);
  Registrations::Hold(fd, connection.get());
  const int timeout_ms = ConnectTimeout(fd);  // before the attempt borrows the option
  StartAttempt(connection, fd, destination, family);
  return IsBlocking(fd) ? AwaitConnect(*connection, fd, timeout_ms) : Fail(EINPROGRESS);
}

int ConnectDirectly(int fd, const sockaddr* address, socklen_t length) {
  using Mark = DescriptorTable::Mark;
  const int result = real::connect(fd, address, length);
  if (result == 0 || errno == EINPROGRESS || errno == EINTR) {
    (void)DescriptorTable::Change(fd, Mark::kFreshSocket, Mark::kDirectSocket);
  }
  return result;
}

// AF_UNSPEC dissolves an association.
int Disconnect(int fd, const sockaddr* address, socklen_t length) {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (connection) connection->Abandon();  // the attempt is not to take this for the server's doing
  const int result = Listeners::Dissolve(fd, address, length);
  if (connection) connection->Dissolve(fd);
  if (const auto association = Associations::Find(fd); association != nullptr && result == 0) {
    association->Dissolved();
  }
  return result;
}

}  // namespace

int AbandonConnect(int fd) {
  sockaddr nowhere = {};
  nowhere.sa_family = AF_UNSPEC;
  return Disconnect(fd, &nowhere, sizeof nowhere);
}

bool IsAnothersSession(int fd) {
  using Mark = DescriptorTable::Mark;
  if (Guard::active()) return false;
  const int saved_errno = errno;
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* peer = reinterpret_cast<sockaddr*>(&storage);
  bool anothers = real::getpeername(fd, peer, &size) == 0;
  if (anothers && RouteTo(peer, size).kind == Route::Kind::kDirect) {
    // Unless it is a server, which may be on an address that is bypassed.
    const auto port = AddressFromSockaddr(peer, size)->port;
    anothers =
        std::ranges::any_of(Runtime::GetConfig()->servers,
                            [&](const ServerEndpoint& server) { return server.port == port; });
    if (!anothers) (void)DescriptorTable::Change(fd, Mark::kFreshSocket, Mark::kDirectSocket);
  }
  errno = anothers ? EIO : saved_errno;
  if (!anothers) return false;
  ReportOnce(
      "a socket that another process has connected through the server is that process's; "
      "this one cannot use it");
  errno = EIO;
  return true;
}

int ConnectDescriptor(int fd, const sockaddr* address, socklen_t length) {
  if (Guard::active() || length < sizeof address->sa_family || length > sizeof(sockaddr_storage) ||
      !IsReadable(address, length)) {
    return real::connect(fd, address, length);  // ours, or the kernel's to refuse
  }
  if (address->sa_family == AF_UNSPEC) return Disconnect(fd, address, length);
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) {
    return real::connect(fd, address, length);
  }
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (connection && connection->phase() == Connection::Phase::kEnded) return Fail(EBADF);
  if (connection && connection->phase() != Connection::Phase::kIdle) {
    const int result = ConnectAgain(*connection, fd);
    if (connection->phase() != Connection::Phase::kFailed || errno != EISCONN) return result;
    ForgetOldAttempt(fd);  // it failed and the application knows: a new attempt
  }
  const int type = SocketOption(fd, SO_TYPE);
  if (type < 0) return real::connect(fd, address, length);  // no socket: the kernel's answer
  if (type != SOCK_STREAM) return ConnectDatagrams(fd, address, length);
  if (!Listeners::BeforeConnect(fd)) return -1;
  if (AsksNameServer(fd, type, address, length)) {
    const auto stand_in = DnsStub::StandInFor(fd, type, address, length);
    return stand_in ? ConnectDirectly(fd, stand_in->get(), stand_in->length) : -1;
  }
  const Route route = RouteTo(address, length);
  switch (route.kind) {
    case Route::Kind::kDirect:
      return ConnectDirectly(fd, address, length);
    case Route::Kind::kRefuse:
      return Fail(route.error);
    case Route::Kind::kProxy:
      break;
  }
  if (SocketOption(fd, SO_PROTOCOL) == IPPROTO_SCTP) return Fail(EACCES);
  return ConnectThroughServer(fd, route.destination, address, length);
}

}  // namespace socksify
