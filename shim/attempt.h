// One attempt to reach a destination through the SOCKS servers of the configuration: find the
// server, get ready, connect the application's own socket to it, negotiate. The next server is
// tried when one cannot be reached.
//
// Prepare() may block on the resolver and the KDC; Step() never does. So a blocking connect() runs
// both in the caller's thread, and a non-blocking one leaves them to the service's threads.
#ifndef SHIM_ATTEMPT_H_
#define SHIM_ATTEMPT_H_

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "lib/engine/core.h"
#include "lib/io/handshake.h"
#include "lib/wire/address.h"

namespace socksify {

class Attempt {
 public:
  enum class Next : unsigned char { kPrepare, kWaitReadable, kWaitWritable, kEstablished, kFailed };

  // `family` is the socket's: AF_INET or AF_INET6. `config` and `core` live for ever.
  Attempt(const Config& config, const Core& core, const Address& destination, int family);
  ~Attempt();

  // Does what may block, then says what to do: kWaitWritable means Step() now. Call under a Guard.
  Next Prepare();

  // Goes on over `fd`, never blocking.
  Next Step(int fd);

  Status TimeoutError() const;
  Deadline deadline() const { return deadline_; }

  const Status& error() const { return error_; }
  // Safe also while another thread is in Prepare().
  const ServerEndpoint& server() const { return config_.servers[server_]; }
  ClientEngine& engine() { return *engine_; }
  size_t unread() const { return handshake_->unread(); }

 private:
  Next Fail(Status error);
  Next NextServer();
  Next StartConnect(int fd);
  Next FinishConnect(int fd);
  Next Negotiate();

  const Config& config_;
  const Core& core_;
  const Address destination_;
  const int family_;
  const Deadline deadline_;
  std::atomic<size_t> server_{0};
  std::vector<Address> addresses_;  // of the server, those still to be tried
  bool connecting_ = false;
  bool tried_ = false;
  std::unique_ptr<ClientEngine> engine_;
  std::optional<Handshake> handshake_;
  Status error_;
};

}  // namespace socksify

#endif  // SHIM_ATTEMPT_H_
