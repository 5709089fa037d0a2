// One client: negotiation, connection to the target, relaying until both sides have closed.
//
// Lives on its worker's loop and ends itself through SessionHost. Each direction stops reading
// while the other side's queue is long, so a session holds little whatever its peers do.
#ifndef TOOLS_SOCKSD_GSS_SESSION_H_
#define TOOLS_SOCKSD_GSS_SESSION_H_

#include <uv.h>

#include <memory>
#include <string>
#include <string_view>

#include "lib/engine/server_engine.h"
#include "tools/socksd-gss/connector.h"
#include "tools/socksd-gss/rules.h"
#include "tools/socksd-gss/stream.h"
#include "tools/socksd-gss/timer.h"

namespace socksify {

// What all sessions go by. Immutable while the server runs.
struct ServerRules {
  ServerPolicy policy;
  TargetRules targets;
  unsigned connect_seconds = 30;
};

class Session;

class SessionHost {
 public:
  virtual void EndSession(Session* session) = 0;  // destroys it

 protected:
  ~SessionHost() = default;
};

class Session final : public StreamOwner, public ConnectorOwner {
 public:
  // `client` is established. `host` and `rules` must outlive the session.
  Session(uv_loop_t* loop, SessionHost* host, const ServerRules& rules, StreamPtr client);
  void Start();

 private:
  // One direction of the relay: one stream is read, the other written.
  struct Way {
    uint64_t octets = 0;
    bool ended = false;      // the reading side has said FIN
    bool shut = false;       // and we have passed it on
    bool broken = false;     // the writing side takes no more
    bool reset_due = false;  // the writing side gets a reset once it has what came before
  };

  void OnOctets(Stream* stream, ByteView octets) override;
  void OnEnd(Stream* stream, int error) override;
  void OnWritten(Stream* stream) override;
  void OnWriteError(Stream* stream, int error) override;
  void OnShutdown(Stream* stream) override;
  void OnConnected(Reply reply, StreamPtr target) override;
  void OnTimer();

  // All of these may end the session, so they come last in what calls them.
  void Advance();
  void Connect();
  void Linger();
  void Balance();
  void End(std::string_view reason);
  void Reset(std::string_view reason);

  std::string Describe() const;  // who, how and where to, for the log
  void BalanceWay(Stream* reader, Stream* writer, const Way& way);
  void BeginReset(Way* way);

  Way& ReadFrom(const Stream* stream) { return stream == client_.get() ? up_ : down_; }
  Way& WrittenTo(const Stream* stream) { return stream == client_.get() ? down_ : up_; }
  Stream* Other(const Stream* stream) {
    return stream == client_.get() ? target_.get() : client_.get();
  }

  uv_loop_t* const loop_;
  SessionHost* const host_;
  const ServerRules& rules_;
  const StreamPtr client_;
  StreamPtr target_;  // from the success reply on
  const Address peer_;
  const std::unique_ptr<ServerEngine> engine_;
  std::unique_ptr<Connector> connector_;  // between request and reply
  bool requested_ = false;
  bool lingering_ = false;  // failed and said so; waits for the client to close
  Way up_;                  // client to target
  Way down_;                // target to client
  unsigned reset_checks_ = 0;
  Timer timer_;  // whatever deadline the session is under
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_SESSION_H_
