// Sockets: connect, shutdown, names of the ends, options.
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>

#include "shim/entry.h"
#include "shim/proxied_connect.h"
#include "shim/real_calls.h"
#include "shim/user_memory.h"

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int connect(int fd, const sockaddr* address, socklen_t length) {
  ErrnoKeeper keeper;
  return keeper.Return(ConnectDescriptor(fd, address, length));
}

EXPORT int shutdown(int fd, int how) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) return real::shutdown(fd, how);
  if (connection->phase() == Connection::Phase::kConnecting) {
    if (how < SHUT_RD || how > SHUT_RDWR) return FailWith(EINVAL);
    ErrnoKeeper keeper;
    return keeper.Return(AbandonConnect(fd));  // as the kernel does before the peer has answered
  }
  if (!connection->framed()) return real::shutdown(fd, how);
  ErrnoKeeper keeper;
  return keeper.Return(connection->ShutDown(fd, how));
}

EXPORT int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection || connection->phase() == Connection::Phase::kIdle) {
    return real::getpeername(fd, address, length);
  }
  if (connection->phase() != Connection::Phase::kEstablished) return FailWith(ENOTCONN);
  const socklen_t room = IsReadable(length, sizeof *length) ? *length : 0;
  const int result =
      real::getpeername(fd, address, length);  // is it connected; are the pointers good
  if (result != 0) return result;
  const SocketAddress& peer = connection->peer();
  memcpy(address, peer.get(), std::min(room, peer.length));
  *length = peer.length;
  return 0;
}

EXPORT int getsockopt(int fd, int level, int option, void* value, socklen_t* length) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
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
    } else if (connection->phase() != Connection::Phase::kConnecting) {
      return result;  // the attempt's own errors are the attempt's
    }
  }
  memcpy(value, &answer, sizeof answer);
  return result;
}

EXPORT int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  if (ConnectionRef connection = DescriptorTable::Find(fd)) {
    ErrnoKeeper keeper;
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
