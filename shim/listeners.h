// BIND (--bind 1): listeners of the application at which the server listens. The application's own
// socket is on loopback, where the agent connects it with who has come to the server; so accept,
// readiness and all that follows are the kernel's.
//
// Each function is as the call it is named after, errno included. Any thread.
#ifndef SHIM_LISTENERS_H_
#define SHIM_LISTENERS_H_

#include <sys/socket.h>

#include <memory>
#include <optional>

#include "lib/io/socket_address.h"
#include "shim/descriptor_map.h"

namespace socksify {

class Listener;

class Listeners {
 public:
  static int Bind(int fd, const sockaddr* address, socklen_t length);
  // Blocks until the server listens, or will not.
  static int Listen(int fd, int backlog);
  static int Accept(int fd, sockaddr* address, socklen_t* length, int flags);

  // With these the kernel listens no more, so the server does not either, once it has heard of it.
  static int ShutDown(int fd, int how);
  static int Dissolve(int fd, const sockaddr* nowhere, socklen_t length);  // connect to AF_UNSPEC

  // Where the server listens for `fd`. nullopt: the kernel's answer is the one. May block.
  static std::optional<SocketAddress> NameOf(int fd);

  // Before octets on another connection are told of: whoever had come to the server's listener for
  // `fd` has been connected to `fd` since. False: the server listens for no such descriptor. Blocks
  // for the agent's answer; no lock may be held.
  static bool Settle(int fd);
  static bool any() { return !map_.empty(); }

  // A socket that Bind() has bound is to be connected, so it is where the program wanted it after
  // all. False with errno.
  static bool BeforeConnect(int fd);

  // --- descriptors, fork and exec ---
  static void Share(int fd, int copy);
  static void Forget(int fd);
  static void BeforeFork();
  static void AfterFork(bool in_child);
  // Calls `visit(fd, channel)` for each listener that the server listens for.
  template <typename Visitor>
  static void ForEachChannel(Visitor visit) {
    for (const auto& [fd, listener] : map_.All()) {
      if (const int channel = ChannelOf(*listener); channel >= 0) visit(fd, channel);
    }
  }

 private:
  static std::shared_ptr<Listener> Find(int fd);
  static uint16_t LoopbackPort(const Address& wanted);
  static int ChannelOf(Listener& listener);

  static inline constinit DescriptorMap<Listener> map_;
};

}  // namespace socksify

#endif  // SHIM_LISTENERS_H_
