// A UDP association for one socket of the application: the session with the server, made when it is
// needed, and the datagrams between the stand-ins and the server's relay.
//
//   kIdle    no session; the first datagram, or request, makes one
//   kMaking  one is being made; the kernel keeps what the application sends, as far as it has room
//   kUp      datagrams pass
//   kPaused  the last one ended too soon, so the next one waits; the kernel keeps datagrams
//   kFailed  none could be made; the application's datagrams are refused for a while
//
// Lives on the loop and destroys itself when its channel has ended, and what the application had
// sent before has gone to the server.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_ASSOCIATION_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_ASSOCIATION_H_

#include <uv.h>

#include <memory>
#include <string_view>
#include <vector>

#include "lib/config/config.h"
#include "lib/security/security_layer.h"
#include "tools/loop/timer.h"
#include "tools/loop/watch.h"
#include "tools/socksify-gss-agent/attempt.h"
#include "tools/socksify-gss-agent/backoff.h"
#include "tools/socksify-gss-agent/batch.h"
#include "tools/socksify-gss-agent/request.h"
#include "tools/socksify-gss-agent/stand_in.h"

namespace socksify {

class Association final : public RequestOwner, public AttemptOwner, public StandInOwner {
 public:
  // `config` and `batch` outlive it.
  static void Start(uv_loop_t* loop, const Config& config, Batch& batch, IncomingRequest incoming);

 private:
  enum class State : unsigned char { kIdle, kMaking, kUp, kPaused, kFailed };

  // Who asked for a stand-in and waits for the outcome.
  struct Waiting {
    Address peer;
    ReplyPipe reply;
  };

  Association(uv_loop_t* loop, const Config& config, Batch& batch, IncomingRequest& incoming);
  ~Association();

  void OnRequest(IncomingRequest incoming) override;
  void OnRequestsEnd() override;
  void OnAttemptEnd(const Status& error) override;
  void OnStandIn(StandIn& stand_in) override;
  void OnControl();
  void OnRelay();
  void OnTimer();

  void Make();
  Status OpenRelay();
  void Fail(const Status& error);
  void End(std::string_view why);
  void CloseSession();
  void Leave();

  void Answer(const Address& peer, bool wait, ReplyPipe reply);
  AgentReply Outcome() const;

  void SendToServer(size_t count);
  void SendUnsent();
  void NoteSent();
  bool PassOn(int* error);
  void Deliver(const Address& source, const ByteView* datagrams, size_t count);
  void WatchRelay();

  uv_loop_t* const loop_;
  const Config& config_;
  Batch& batch_;
  RequestSocket requests_;
  StandIns stand_ins_;
  State state_ = State::kIdle;
  bool leaving_ = false;              // the channel has ended
  std::unique_ptr<Attempt> attempt_;  // while kMaking
  std::vector<Waiting> waiting_;
  AgentReply failure_;  // of kFailed

  // While kUp:
  std::unique_ptr<SecurityLayer> layer_;
  UniqueFd control_, relay_;
  Address bound_;
  std::vector<Bytes> unsent_;  // sealed, and the kernel had no room; nothing is read meanwhile
  uint64_t since_ = 0, last_sent_ = 0;

  Watch control_watch_, relay_watch_;
  Timer timer_;  // of kPaused and kFailed, and at the very end
  Backoff backoff_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_ASSOCIATION_H_
