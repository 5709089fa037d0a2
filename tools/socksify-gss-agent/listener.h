// A listener of the application's, through BIND: the server listens for it, and who connects there
// is connected from a stand-in to the application's own listener on this host. BIND is for one
// connection, so the server is asked again for each that is to follow.
//
// Lives on the loop and destroys itself when its channel has ended, or the server never listened.
// The connections go on by themselves.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_LISTENER_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_LISTENER_H_

#include <uv.h>

#include <memory>
#include <optional>
#include <vector>

#include "lib/config/config.h"
#include "tools/loop/stream.h"
#include "tools/loop/timer.h"
#include "tools/socksify-gss-agent/attempt.h"
#include "tools/socksify-gss-agent/backoff.h"
#include "tools/socksify-gss-agent/callers.h"
#include "tools/socksify-gss-agent/request.h"

namespace socksify {

class Listener final : public RequestOwner, public AttemptOwner {
 public:
  // `config` outlives it.
  static void Start(uv_loop_t* loop, const Config& config, IncomingRequest incoming);

 private:
  struct Arrival;  // a connection on its way to the application

  Listener(uv_loop_t* loop, const Config& config, IncomingRequest& incoming);
  ~Listener();

  void OnRequest(IncomingRequest incoming) override;
  void OnRequestsEnd() override;
  void OnListening() override;
  void OnAttemptEnd(const Status& error) override;
  static void OnConnect(uv_connect_t* request, int error);

  void Ask();
  void AskLater();
  void Tell();
  void Settled();
  void PassOn();

  uv_loop_t* const loop_;
  const Config& config_;
  const Address own_;  // where the application's listener is
  Address wanted_;     // where the server is to listen, if it can
  RequestSocket requests_;
  std::optional<ReplyPipe> first_;  // until it has been answered
  std::unique_ptr<Attempt> attempt_;
  AgentReply state_;                // of the last attempt
  std::vector<ReplyPipe> waiting_;  // who asked for it while another is under way
  std::vector<ReplyPipe> settling_;
  uint64_t listening_since_ = 0;
  Arrival* arrival_ = nullptr;
  const std::shared_ptr<Callers> callers_ = std::make_shared<Callers>();
  Timer timer_;    // between two attempts
  Timer settled_;  // the loop has done all that there was to do
  Backoff backoff_;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_LISTENER_H_
