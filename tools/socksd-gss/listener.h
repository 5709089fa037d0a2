// One listening socket on a loop. For the loop's thread only.
#ifndef TOOLS_SOCKSD_GSS_LISTENER_H_
#define TOOLS_SOCKSD_GSS_LISTENER_H_

#include <sys/socket.h>
#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/wire/address.h"

namespace socksify {

class Listener {
 public:
  // Binds every address that `where` stands for: ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT.
  static Status Open(const std::string& where, std::vector<std::unique_ptr<Listener>>* listeners);
  // At this address alone; null and errno when that cannot be.
  static std::unique_ptr<Listener> At(const sockaddr_storage& address, int backlog);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  using Function = void (*)(const Listener& listener, void* argument);
  // `function` is called when a connection may be waiting. Stop() pauses, and Start() goes on.
  void Start(uv_loop_t* loop, Function function, void* argument);
  void Stop();

  // A connected descriptor, or a negated errno; -EAGAIN when none is waiting. `from`: whose it is,
  // also where it has been reset since. May be null.
  int Accept(sockaddr_storage* from = nullptr) const;

  const Address& address() const { return address_; }  // with the port that the kernel has chosen

 private:
  Listener(int fd, Address address) : fd_(fd), address_(std::move(address)) {}

  const int fd_;
  const Address address_;
  uv_poll_t* poll_ = nullptr;
  Function function_ = nullptr;
  void* argument_ = nullptr;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_LISTENER_H_
