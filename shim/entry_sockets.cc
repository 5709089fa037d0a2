// Sockets: connect, shutdown, names of the ends, options.
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstdarg>
#include <cstring>

#include "shim/dns_stub.h"
#include "shim/entry.h"
#include "shim/proxied_connect.h"
#include "shim/real_calls.h"
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

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int connect(int fd, const sockaddr* address, socklen_t length) {
  ErrnoKeeper keeper;
  return keeper.Return(ConnectDescriptor(fd, address, length));
}

EXPORT int shutdown(int fd, int how) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection) return real::shutdown(fd, how);
  if (connection->phase() == Connection::Phase::kConnecting) return FailWith(ENOTCONN);
  if (!connection->framed()) return real::shutdown(fd, how);
  ErrnoKeeper keeper;
  return keeper.Return(connection->ShutDown(fd, how));
}

EXPORT int getpeername(int fd, sockaddr* address, socklen_t* length) noexcept {
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection || connection->phase() == Connection::Phase::kIdle) {
    return PeerOfPlainSocket(fd, address, length);
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
  const int result = real::getsockopt(fd, level, option, value, length);
  if (level != SOL_SOCKET || (option != SO_ERROR && option != SO_RCVLOWAT && option != SO_RCVBUF)) {
    return result;
  }
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (!connection || result != 0 || *length < sizeof(int)) return result;
  int answer = *static_cast<int*>(value);
  if (option == SO_RCVLOWAT) {
    if (connection->framed()) answer = connection->low_water();
  } else if (option == SO_RCVBUF) {
    if (connection->receive_buffer() != 0) answer = connection->receive_buffer();
  } else if (connection->phase() == Connection::Phase::kConnecting) {
    answer = 0;  // the attempt's own errors are the attempt's
  } else if (connection->phase() == Connection::Phase::kFailed) {
    answer = connection->TakeError(fd);
  }
  memcpy(value, &answer, sizeof answer);
  return result;
}

EXPORT int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
  const auto mark = DescriptorTable::Get(fd);
  if (mark == DescriptorTable::Mark::kNone)
    return real::setsockopt(fd, level, option, value, length);
  // The first octets to the server are the shim's: a connect() that only pretends would not do.
  if (level == IPPROTO_TCP && option == TCP_FASTOPEN_CONNECT) return 0;
  ConnectionRef connection = DescriptorTable::Find(fd);
  if (level == IPPROTO_TCP && option == TCP_ULP && connection && connection->carries_session()) {
    return FailWith(EOPNOTSUPP);  // the kernel would encrypt what goes to the SOCKS server
  }
  if (connection && connection->framed() && level == SOL_SOCKET) {
    if (option == SO_RCVLOWAT && length >= sizeof(int) && IsReadable(value, sizeof(int))) {
      int octets;
      memcpy(&octets, value, sizeof octets);
      connection->set_low_water(octets);
      return 0;
    }
    if (option == SO_ZEROCOPY)
      return FailWith(EOPNOTSUPP);  // what the kernel would keep is not what goes out
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
