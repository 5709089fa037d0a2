// One attempt at a session with a SOCKS server of the configuration: get ready, find the server,
// connect, negotiate, ask. The next server is tried when one cannot be reached.
//
// What may block on the resolver and the KDC is done on libuv's threads. Letting go of an Attempt
// ends all of it without a report. For the loop's thread only.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_ATTEMPT_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_ATTEMPT_H_

#include <uv.h>

#include <memory>
#include <optional>
#include <vector>

#include "lib/config/config.h"
#include "lib/engine/client_engine.h"
#include "lib/io/handshake.h"
#include "tools/helper/unique_fd.h"
#include "tools/loop/timer.h"
#include "tools/loop/watch.h"

namespace socksify {

class AttemptOwner {
 public:
  // Of BIND: the server listens. From now on it may take as long as it likes.
  virtual void OnListening() {}

  // Once: established, or why not. Never from inside Start(); may let go of the attempt.
  virtual void OnAttemptEnd(const Status& error) = 0;

 protected:
  ~AttemptOwner() = default;
};

class Attempt {
 public:
  // `owner` and `config` outlive it.
  Attempt(uv_loop_t* loop, AttemptOwner* owner, const Config& config, Request request);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  void Start();

  const ServerEndpoint& server() const { return config_.servers[server_]; }

  bool listening() const { return told_listening_; }

  // From OnListening() on: where that is, or where the server relays; and the server's address as
  // this host sees it, this host's as the server may.
  Address Bound() const;
  Address ServerAddress() const;
  Address LocalAddress() const;

  // Established:
  ClientEngine& engine() { return *engine_; }
  UniqueFd TakeSocket();  // its next octet is the first behind the negotiation

 private:
  struct Preparation;  // lives until the thread is done with it, also without the attempt

  void Prepare();
  void OnPrepared();
  void NextServer();
  void Connect();
  void OnConnected();
  void OnReady();
  void Negotiate();
  void NoteUnreachable(int error);
  void End(Status error);

  uv_loop_t* const loop_;
  AttemptOwner* const owner_;
  const Config& config_;
  const Request request_;
  size_t server_ = 0;
  Preparation* preparation_ = nullptr;
  std::vector<Address> addresses_;  // of the server, those still to be tried
  Status unreachable_;              // why none of the servers was reached so far
  UniqueFd socket_;
  std::unique_ptr<ClientEngine> engine_;
  std::optional<Handshake> handshake_;
  bool told_listening_ = false;
  Watch watch_;
  Timer deadline_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_ATTEMPT_H_
