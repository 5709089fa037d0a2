#include "shim/stand_in.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "lib/io/socket_address.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

struct Option {
  int level, name;
};

// What a program can have set and would miss. Buffer sizes are left to the kernel, which tunes
// them. Each is no larger than a timeval.
constexpr Option kOptions[] = {
    {SOL_SOCKET, SO_KEEPALIVE},      {SOL_SOCKET, SO_LINGER},      {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_RCVTIMEO},       {SOL_SOCKET, SO_SNDTIMEO},    {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_REUSEADDR},      {IPPROTO_TCP, TCP_NODELAY},   {IPPROTO_TCP, TCP_CORK},
    {IPPROTO_TCP, TCP_KEEPIDLE},     {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},
    {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_IP, IP_TOS},
};

void CopyOptions(int from, int to) {
  for (const Option& option : kOptions) {
    timeval value = {};
    socklen_t size = sizeof value;
    if (real::getsockopt(from, option.level, option.name, &value, &size) == 0) {
      (void)real::setsockopt(to, option.level, option.name, &value, size);
    }
  }
}

// Status flags, and who gets SIGIO. The relay's socket is to signal nobody.
void MoveStatus(int from, int to) {
  const int flags = real::fcntl(from, F_GETFL);
  if (flags < 0) return;
  if ((flags & O_ASYNC) != 0) {
    f_owner_ex owner = {};
    if (real::fcntl(from, F_GETOWN_EX, &owner) == 0) (void)real::fcntl(to, F_SETOWN_EX, &owner);
    (void)real::fcntl(to, F_SETSIG, real::fcntl(from, F_GETSIG));
    (void)real::fcntl(from, F_SETFL, flags & ~O_ASYNC);
  }
  (void)real::fcntl(to, F_SETFL, flags | (real::fcntl(to, F_GETFL) & O_ASYNC));  // moved before?
}

// 127.0.0.1, v4-mapped for IPv6: loopback of IPv6 may be missing.
SocketAddress Loopback(int family) {
  return *SockaddrFromAddress(Address::Ipv4({127, 0, 0, 1}, 0), family);
}

bool NameOf(int fd, SocketAddress* name, bool peer) {
  name->length = sizeof name->storage;
  auto* address = reinterpret_cast<sockaddr*>(&name->storage);
  return (peer ? real::getpeername(fd, address, &name->length)
               : real::getsockname(fd, address, &name->length)) == 0;
}

bool IsSame(const SocketAddress& one, const SocketAddress& other) {
  return one.length == other.length && memcmp(&one.storage, &other.storage, one.length) == 0;
}

// Anybody on this machine may connect to a listening socket: takes the connection of `end` and no
// other.
int AcceptFrom(int listener, int end) {
  SocketAddress wanted, peer;
  if (!NameOf(end, &wanted, false)) return -1;
  for (;;) {
    const int accepted = real::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (accepted < 0 || (NameOf(accepted, &peer, true) && IsSame(peer, wanted))) return accepted;
    (void)real::close(accepted);
  }
}

}  // namespace

void CopySettings(int fd, int stand_in) {
  CopyOptions(fd, stand_in);
  MoveStatus(fd, stand_in);
}

bool MakeStandIn(int fd, StandIn* made) {
  int family = AF_INET;
  socklen_t size = sizeof family;
  if (real::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return false;
  SocketAddress loopback = Loopback(family);
  const int listener = real::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int end = real::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int accepted = -1;
  constexpr int kBacklog = 16;  // strangers may be faster
  constexpr int kOff = 0;       // of an IPv6 socket: net.ipv6.bindv6only says otherwise
  if (family == AF_INET6) {
    (void)real::setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
    (void)real::setsockopt(end, IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  }
  if (listener >= 0 && end >= 0 && bind(listener, loopback.get(), loopback.length) == 0 &&
      listen(listener, kBacklog) == 0 && NameOf(listener, &loopback, false) &&
      real::connect(end, loopback.get(), loopback.length) == 0) {
    accepted = AcceptFrom(listener, end);
  }
  int error = errno;
  if (listener >= 0) (void)real::close(listener);
  if (accepted < 0) {
    if (end >= 0) (void)real::close(end);
    errno = error;
    return false;
  }
  CopySettings(fd, end);
  made->application = OwnDescriptor::Adopt(end);
  error = errno;
  made->relay = OwnDescriptor::Adopt(accepted);
  if (made->application >= 0 && made->relay >= 0) return true;
  if (made->relay < 0) error = errno;
  if (made->application >= 0) OwnDescriptor::Close(made->application);
  if (made->relay >= 0) OwnDescriptor::Close(made->relay);
  errno = error;
  return false;
}

}  // namespace socksify
