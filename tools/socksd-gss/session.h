// One client: negotiation and connection to the target; then a Relay until both sides have closed.
//
// Lives on its worker's loop and ends itself through SessionHost.
#ifndef TOOLS_SOCKSD_GSS_SESSION_H_
#define TOOLS_SOCKSD_GSS_SESSION_H_

#include <uv.h>

#include <memory>
#include <string>
#include <string_view>

#include "lib/engine/server_engine.h"
#include "tools/loop/relay.h"
#include "tools/loop/stream.h"
#include "tools/loop/timer.h"
#include "tools/socksd-gss/connector.h"
#include "tools/socksd-gss/rules.h"
#include "tools/socksd-gss/slow_lane.h"

namespace socksify {

// What sessions go by. Immutable: who reads the files anew makes new rules for new sessions.
struct ServerRules {
  ServerPolicy policy;
  TargetRules targets;
  unsigned connect_seconds = 30;
};

class Session;

class SessionHost {
 public:
  virtual void EndSession(Session* session) = 0;  // destroys it
  virtual SlowLane& slow_lane() = 0;

 protected:
  ~SessionHost() = default;
};

class Session final : public StreamOwner,
                      public ConnectorOwner,
                      public RelayOwner,
                      public SlowWork {
 public:
  // `client` is established. `host` must outlive the session.
  Session(uv_loop_t* loop, SessionHost* host, std::shared_ptr<const ServerRules> rules,
          StreamPtr client);
  void Start();

 private:
  void OnOctets(Stream* stream, ByteView octets) override;
  void OnEnd(Stream* stream, int error) override;
  void OnWritten(Stream* stream) override;
  void OnWriteError(Stream* stream, int error) override;
  void OnShutdown(Stream* stream) override;
  void OnConnected(Reply reply, StreamPtr target) override;
  void OnRelayEnd() override;
  void Work() override;
  void OnWorked() override;
  void OnTimer();

  // All of these may end the session, so they come last in what calls them.
  void Advance();
  void Connect();
  void Linger();
  void End(std::string_view reason);

  std::string Describe() const;  // who, how and where to, for the log

  uv_loop_t* const loop_;
  SessionHost* const host_;
  const std::shared_ptr<const ServerRules> rules_;
  StreamPtr client_;  // until the relay has it
  const Address peer_;
  const std::unique_ptr<ServerEngine> engine_;
  std::unique_ptr<Connector> connector_;  // between request and reply
  Bytes slow_input_;                      // what the engine is being fed with on the slow lane
  bool working_ = false;                  // the engine is there meanwhile, and nobody else's
  std::string end_when_worked_;           // why, if the session is to end by then
  bool requested_ = false;
  bool lingering_ = false;        // failed and said so; waits for the client to close
  Timer timer_;                   // whatever deadline the session is under
  std::unique_ptr<Relay> relay_;  // from the success reply on
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SESSION_H_
