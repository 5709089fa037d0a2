// One client: negotiation, then what its request asks for. CONNECT and BIND: the connection to the
// target, or of the peer, and a Relay until both sides have closed. UDP ASSOCIATE: an Association
// until the client closes, or no datagram has passed for long.
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
#include "tools/socksd-gss/association.h"
#include "tools/socksd-gss/connector.h"
#include "tools/socksd-gss/peer_listener.h"
#include "tools/socksd-gss/server_rules.h"
#include "tools/socksd-gss/slow_lane.h"

namespace socksify {

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
                      public PeerListenerOwner,
                      public AssociationOwner,
                      public RelayOwner,
                      public SlowWork {
 public:
  // `client` is established. `host` must outlive the session.
  Session(uv_loop_t* loop, SessionHost* host, std::shared_ptr<const ServerRules> rules,
          StreamPtr client);
  void Start();

 private:
  void OnOctets(Stream* stream, ByteSpan octets) override;
  void OnEnd(Stream* stream, int error) override;
  void OnWritten(Stream* stream) override;
  void OnWriteError(Stream* stream, int error) override;
  void OnShutdown(Stream* stream) override;
  void OnConnected(Reply reply, StreamPtr target) override;
  void OnListening(Reply reply, const Address& bound) override;
  void OnPeer(Reply reply, StreamPtr peer, const Address& from) override;
  void OnIdle() override;
  void OnFinished() override;
  void OnRelayEnd() override;
  void Work() override;
  void OnWorked() override;
  void OnTimer();

  // All of these may end the session, so they come last in what calls them.
  void Advance();
  void SendOutput();
  void Serve();
  void Answer(Reply reply, const Address& bound);
  void Pump(const Address& bound, StreamPtr target);
  void Associate();
  void Part(std::string_view why);
  void Linger();
  void Release();
  void End(std::string_view reason);

  std::string Describe() const;  // who, how and where to, for the log
  std::string Passed() const;    // how much

  uv_loop_t* const loop_;
  SessionHost* const host_;
  const std::shared_ptr<const ServerRules> rules_;
  StreamPtr client_;  // until the relay has it
  const Address peer_;
  const std::unique_ptr<ServerEngine> engine_;
  std::unique_ptr<Connector> connector_;         // CONNECT: between request and reply
  std::unique_ptr<PeerListener> peer_listener_;  // BIND: between request and second reply
  std::unique_ptr<Association> association_;     // UDP ASSOCIATE: from the request on
  std::unique_ptr<Quota::Share> share_;          // of the latter two
  Bytes slow_input_;             // what the engine is being fed with on the slow lane
  bool working_ = false;         // the engine is there meanwhile, and nobody else's
  std::string end_when_worked_;  // why, if the session is to end by then
  std::string_view why_;         // why it lingers, if nothing has failed
  std::string passed_;           // by the association that it had
  bool requested_ = false;
  bool client_ended_ = false;     // while its last datagrams wait for names
  bool lingering_ = false;        // over, and has said so; waits for the client to close
  Timer timer_;                   // whatever deadline the session is under
  std::unique_ptr<Relay> relay_;  // from the success reply on
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SESSION_H_
