// One session that was handed over: the layer goes on here, between the server and the plain socket
// that has taken the place of the application's.
//
// Lives on the loop and ends itself through SessionHost.
#ifndef TOOLS_SOCKSIFY_GSS_RELAY_SESSION_H_
#define TOOLS_SOCKSIFY_GSS_RELAY_SESSION_H_

#include <uv.h>

#include <memory>

#include "lib/engine/codec.h"
#include "tools/loop/relay.h"
#include "tools/socksify-gss-relay/handover.h"

namespace socksify {

class Session;

class SessionHost {
 public:
  virtual void EndSession(Session* session) = 0;  // destroys it

 protected:
  ~SessionHost() = default;
};

class Session final : public RelayOwner {
 public:
  // `host` outlives the session. Null when the state is none: both sockets are reset then, as they
  // are whenever a session does not come to an end in order.
  static std::unique_ptr<Session> New(uv_loop_t* loop, SessionHost* host, Handover handover);

  // Delivers what is due, then pumps. May end the session.
  void Start() { relay_.Start(); }

 private:
  Session(uv_loop_t* loop, SessionHost* host, std::unique_ptr<Codec> codec, StreamPtr server,
          StreamPtr plain);
  void OnRelayEnd() override { host_->EndSession(this); }

  SessionHost* const host_;
  const std::unique_ptr<Codec> codec_;
  Relay relay_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_RELAY_SESSION_H_
