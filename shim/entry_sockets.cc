// Sockets: connect, shutdown, names of the ends, options.
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>
#include <optional>

#include "shim/associations.h"
#include "shim/datagrams.h"
#include "shim/dns_stub.h"
#include "shim/entry.h"
#include "shim/guard.h"
#include "shim/listeners.h"
#include "shim/proxied_connect.h"
#include "shim/real_calls.h"
#include "shim/socket_facts.h"
#include "shim/stand_in_names.h"
#include "shim/user_memory.h"

namespace socksify {
namespace {

int PeerOfPlainSocket(int fd, sockaddr* address, socklen_t* length) {
  const bool restore = DnsStub::InUse() && IsReadable(length, sizeof *length);
  const socklen_t room = restore ? *length : 0;
  const int result = real::getpeername(fd, address, length);
  int type = 0;
  socklen_t size = sizeof type;
  if (result == 0 && restore && real::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) {
    DnsStub::Restore(type, address, room, length);
  }
  return result;
}

// The program has bound it: whoever sends there is to be heard.
void NoteBound(int fd) {
  using Mark = DescriptorTable::Mark;
  const Mark mark = DescriptorTable::Get(fd);
  if ((mark != Mark::kDatagramSocket && mark != Mark::kDatagrams) || InVforkChild()) return;
  const ErrnoKeeper keeper;
  SocketAddress name;
  const auto association = Associations::For(fd);
  if (association != nullptr && LocalName(fd, &name)) {
    const auto address = AddressFromSockaddr(name.get(), name.length);
    association->NoteBound(address && address->IsUnspecified() ? Association::Bound::kWildcard
                                                               : Association::Bound::kAddress);
  }
  (void)keeper.Return(0);
}

// What has no stream of octets to end: it may be a listener.
int ShutDownPlain(int fd, int how) {
  const ErrnoKeeper keeper;
  return keeper.Return(Listeners::ShutDown(fd, how));
}

// sctp_connectx(3).
bool ConnectsByOption(int level, int option) {
  constexpr int kConnectxOld = 107, kConnectx = 110, kConnectx3 = 111;
  return __builtin_expect(level == IPPROTO_SCTP, 0) && !Guard::active() &&
         (option == kConnectxOld || option == kConnectx || option == kConnectx3);
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int connect(int fd, const sockaddr* address, socklen_t length) {
  ErrnoKeeper keeper;
  return keeper.Return(ConnectDescriptor(fd, address, length));
}

EXPORT int bind(int fd, const sockaddr* address, socklen_t length) noexcept {
  const ErrnoKeeper keeper;
  const int result = keeper.Return(Listeners::Bind(fd, address, length));
  if (result == 0 && !Guard::active()) NoteBound(fd);
  return result;
}

EXPORT int listen(int fd, int backlog) noexcept {
  const ErrnoKeeper keeper;
  return keeper.Return(Listeners::Listen(fd, backlog));
}

EXPORT int shutdown(int fd, int how) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) return ShutDownPlain(fd, how);
  if (connection->phase() == Connection::Phase::kConnecting) {
    if (how < SHUT_RD || how > SHUT_RDWR) return FailWith(EINVAL);
    ErrnoKeeper keeper;
    return keeper.Return(AbandonConnect(fd));  // as the kernel does before the peer has answered
  }
  if (!connection->framed()) return ShutDownPlain(fd, how);
  ErrnoKeeper keeper;
  return keeper.Return(connection->ShutDown(fd, how));
}

// Answers as getpeername(2) with `name`; the kernel has found the pointers good.
static int AnswerName(const SocketAddress& name, sockaddr* address, socklen_t room,
                      socklen_t* length) {
  memcpy(address, name.get(), std::min(room, name.length));
  *length = name.length;
  return 0;
}

// What a stand-in that another process made stands for (stand_in_names.h).
static bool FindNames(int fd, ConnectionNames* names) {
  SocketAddress local, peer;
  const int saved_errno = errno;
  bool found = LocalName(fd, &local) && PeerName(fd, &peer);
  if (found && SocketOption(fd, SO_TYPE) == SOCK_DGRAM) {
    const auto named = DatagramPeerAt(fd, peer);
    found = named.has_value();
    if (found) *names = {local, *named};
  } else if (found) {
    found = FindStandIn(local, peer, names);
  }
  errno = saved_errno;
  return found;
}

// The names of a socket with an association; nullopt where the kernel's are the ones.
static std::optional<SocketAddress> PeerByAssociation(int fd) {
  const auto association = Associations::Find(fd);
  SocketAddress peer;
  if (association == nullptr || !association->open() || !PeerName(fd, &peer)) return std::nullopt;
  return association->PeerAt(fd, peer);
}
static std::optional<SocketAddress> NameByAssociation(int fd) {
  const auto association = Associations::Find(fd);
  SocketAddress local;
  if (association == nullptr || !association->open() || !LocalName(fd, &local)) return std::nullopt;
  return association->LocalNameFor(fd, local);
}

EXPORT int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  const socklen_t room = IsReadable(length, sizeof *length) ? *length : 0;
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection || connection->phase() == Connection::Phase::kIdle) {
    const int result = PeerOfPlainSocket(fd, address, length);
    if (result == 0 && Associations::Has(fd) && !Guard::active()) {
      const auto peer = PeerByAssociation(fd);
      if (peer) return AnswerName(*peer, address, room, length);
    }
    ConnectionNames names;
    if (result != 0 || connection || Guard::active() || !FindNames(fd, &names)) return result;
    return AnswerName(names.peer, address, room, length);
  }
  if (connection->phase() != Connection::Phase::kEstablished) return FailWith(ENOTCONN);
  const int result =
      real::getpeername(fd, address, length);  // is it connected; are the pointers good
  return result != 0 ? result : AnswerName(connection->peer(), address, room, length);
}

EXPORT int getsockname(int fd, sockaddr* address, socklen_t* length) noexcept {
  const socklen_t room = IsReadable(length, sizeof *length) ? *length : 0;
  ConnectionRef connection = DescriptorTable::Find(fd);
  const int result = real::getsockname(fd, address, length);
  if (result != 0 || Guard::active()) return result;
  if (const auto name = Listeners::NameOf(fd)) return AnswerName(*name, address, room, length);
  if (connection) {
    if (!connection->detached()) return result;
    return AnswerName(connection->detached_name(), address, room, length);
  }
  if (Associations::Has(fd)) {
    const ErrnoKeeper keeper;
    const auto name = NameByAssociation(fd);
    return keeper.Return(name ? AnswerName(*name, address, room, length) : result);
  }
  ConnectionNames names;
  return FindNames(fd, &names) ? AnswerName(names.local, address, room, length) : result;
}

EXPORT int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  if (ConnectsByOption(level, option)) return FailWith(EACCES);
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection && Associations::Has(fd)) {
    const int result = real::getsockopt(fd, level, option, value, length);
    if (result != 0 || level != SOL_SOCKET || option != SO_ERROR || *length < sizeof(int))
      return result;
    const ErrnoKeeper keeper;
    int error;
    memcpy(&error, value, sizeof error);
    error = DatagramError(fd, error);
    memcpy(value, &error, sizeof error);
    return keeper.Return(0);
  }
  if (!connection) return real::getsockopt(fd, level, option, value, length);
  constexpr int kTcpZerocopyReceive = 35;  // maps what has come: protected octets, past the session
  if (level == IPPROTO_TCP && option == kTcpZerocopyReceive && connection->carries_session())
    return FailWith(EOPNOTSUPP);
  const int result = real::getsockopt(fd, level, option, value, length);
  if (result != 0 || *length < sizeof(int)) return result;
  int answer = 0;
  if (!connection->options().Get(level, option, &answer)) {
    if (level != SOL_SOCKET || option != SO_ERROR) return result;
    if (connection->phase() == Connection::Phase::kFailed) {
      answer = connection->TakeError(fd);
    } else if (connection->phase() != Connection::Phase::kConnecting &&
               !connection->HidesErrors()) {
      memcpy(&answer, value, sizeof answer);
      if (answer != 0) connection->NoteLost();
      return result;  // the attempt's own errors are the attempt's
    }
  }
  memcpy(value, &answer, sizeof answer);
  return result;
}

EXPORT int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (ConnectsByOption(level, option)) return FailWith(EACCES);
  if (ConnectionRef connection = DescriptorTable::Find(fd)) {
    ErrnoKeeper keeper;
    // The session is another process's, and with it what it needs of the socket.
    if (connection->is_away() && BorrowedOptions::IsBorrowed(level, option) &&
        !connection->Detach()) {
      return -1;
    }
    switch (connection->options().Set(fd, level, option, value, length)) {
      case BorrowedOptions::Answer::kDone:
        return keeper.Return(0);
      case BorrowedOptions::Answer::kFailed:
        return -1;
      case BorrowedOptions::Answer::kPass:
        break;
    }
  }
  return real::setsockopt(fd, level, option, value, length);
}

EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request == FIONREAD) {
    ConnectionRef connection = DescriptorTable::Find(fd);
    if (connection && connection->framed() &&
        connection->phase() == Connection::Phase::kEstablished) {
      if (!IsWritable(argument, sizeof(int))) return FailWith(EFAULT);
      ErrnoKeeper keeper;
      const int available = static_cast<int>(connection->Available(fd));
      memcpy(argument, &available, sizeof available);
      return keeper.Return(0);
    }
  }
  return real::ioctl(fd, request, argument);
}
