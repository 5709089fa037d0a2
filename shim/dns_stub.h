// The name servers that programs ask by themselves, without libc's resolver: each is played on
// loopback by a thread of this process, so that no query leaves the machine, and the octets and the
// readiness of the program's own sockets stay the kernel's.
//
// A server is known by its address; what stands in for it is a socket at a port of its own, by
// which its answers are told from another's. connect() and sendto() name that instead, recvfrom()
// and getpeername() read as if the server itself had been asked. A forked child makes its own; what
// its parent's served is refused once the parent has gone.
#ifndef SHIM_DNS_STUB_H_
#define SHIM_DNS_STUB_H_

#include <sys/socket.h>

#include <atomic>
#include <optional>

#include "lib/io/socket_address.h"

namespace socksify {

class DnsStub {
 public:
  // What `fd`, a socket of `type` (SOCK_STREAM or SOCK_DGRAM), is to be connected or to send to in
  // place of the name server at `server`, of which IsNameServer (route.h) is true. nullopt with
  // errno. Does not block.
  static std::optional<SocketAddress> StandInFor(int fd, int type, const sockaddr* server,
                                                 socklen_t length);

  // Puts the server's address in place of its stand-in's. `room`: octets at `address`. Lock-free.
  static void Restore(int type, sockaddr* address, socklen_t room, socklen_t* length) {
    if (__builtin_expect(InUse(), 0)) RestoreSlow(type, address, room, length);
  }
  static bool InUse() { return count_.load(std::memory_order_acquire) != 0; }

  static void BeforeFork();
  static void AfterFork(bool in_child);

 private:
  static void RestoreSlow(int type, sockaddr* address, socklen_t room, socklen_t* length);

  static inline constinit std::atomic<size_t> count_{0};  // stand-ins, dead ones included
};

}  // namespace socksify

#endif  // SHIM_DNS_STUB_H_
