// One attempt to reach a destination through the SOCKS servers of the configuration: find the
// server, get ready, connect the application's own socket to it, negotiate. The next server is
// tried when one cannot be reached.
//
// Prepare() may block on the resolver and the KDC; Begin() and Step() never do. Where the server is
// known already, TCP connects to it while the attempt is prepared.
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

  // Starts to connect `fd` if the server's address is known.
  void Begin(int fd);

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
  void Misremembered();
  bool FindAddresses();
  void TakeAddresses(const std::vector<Address>& addresses);
  void StartConnect(int fd);
  void FinishConnect(int fd);
  Next Negotiate();

  const Config& config_;
  const Core& core_;
  const Address destination_;
  const int family_;
  const Deadline deadline_;
  std::atomic<size_t> server_{0};
  enum class Tcp : unsigned char { kIdle, kConnecting, kConnected };

  std::vector<Address> addresses_;  // of the server, those still to be tried
  bool from_memory_ = false;        // they were resolved before, and it may have moved since
  bool may_remember_ = true;
  Tcp tcp_ = Tcp::kIdle;
  bool tried_ = false;
  std::unique_ptr<ClientEngine> engine_;
  std::optional<Handshake> handshake_;
  Status error_;
};

}  // namespace socksify

#endif  // SHIM_ATTEMPT_H_
