#include "tools/socksify-gss-agent/listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "lib/base/log.h"
#include "lib/engine/codec.h"
#include "tools/loop/relay.h"
#include "tools/socksify-gss-agent/loopback.h"

namespace socksify {
namespace {

// A connection that has reached the application. Destroys itself at its end.
class Connection final : public RelayOwner {
 public:
  Connection(uv_loop_t* loop, std::unique_ptr<Codec> codec, StreamPtr wire, StreamPtr plain,
             std::shared_ptr<Callers> callers, uint16_t port)
      : callers_(std::move(callers)),
        port_(port),
        codec_(std::move(codec)),
        relay_(loop, this, *codec_, std::move(wire), std::move(plain)) {}

  void Start() { relay_.Start(); }

 private:
  void OnRelayEnd() override {
    callers_->End(port_);
    delete this;
  }

  const std::shared_ptr<Callers> callers_;
  const uint16_t port_;
  const std::unique_ptr<Codec> codec_;
  Relay relay_;
};

}  // namespace

struct Listener::Arrival {
  uv_connect_t request;
  Listener* listener;  // null once it has gone; the application may have accepted before
  std::shared_ptr<Callers> callers;
  std::unique_ptr<Codec> codec;
  StreamPtr wire, plain;  // reset unless they come to a better end
  uint16_t port;          // of the stand-in
};

void Listener::Start(uv_loop_t* loop, const Config& config, IncomingRequest incoming) {
  auto* made = new Listener(loop, config, incoming);
  if (made->own_.port != 0 && made->requests_.Start()) return made->Ask();
  AgentReply reply;
  reply.error = EINVAL;
  made->first_->Send(reply);
  delete made;
}

Listener::Listener(uv_loop_t* loop, const Config& config, IncomingRequest& incoming)
    : loop_(loop),
      config_(config),
      own_(incoming.request.own.IsUnspecified()
               ? LoopbackAddress(incoming.request.own.type, incoming.request.own.port)
               : incoming.request.own),
      wanted_(Address::Ipv4({}, own_.port)),
      requests_(loop, this, std::move(incoming.channel)),
      first_(std::move(incoming.reply)),
      timer_(
          loop, [](void* self) { static_cast<Listener*>(self)->Ask(); }, this),
      settled_(
          loop, [](void* self) { static_cast<Listener*>(self)->Settled(); }, this) {}

Listener::~Listener() {
  if (arrival_ != nullptr) arrival_->listener = nullptr;
}

// --- requests ---

void Listener::OnRequest(IncomingRequest incoming) {
  AgentReply reply;
  Caller caller;
  switch (incoming.request.kind) {
    case AgentRequest::Kind::kState:
      if (incoming.request.wait && state_.error == 0 && state_.bound.port == 0) {
        waiting_.push_back(std::move(incoming.reply));
        return;
      }
      reply = state_;
      break;
    case AgentRequest::Kind::kWhoIs:
      if (callers_->Ask(incoming.request.peer, &caller)) {
        reply.peer = std::move(caller.peer);
        reply.bound = std::move(caller.bound);
      } else {
        reply.error = ENOENT;
      }
      break;
    case AgentRequest::Kind::kSettle:  // what had come before is of this round of the loop
      settling_.push_back(std::move(incoming.reply));
      return settled_.Start(0);
    default:
      reply.error = EINVAL;
  }
  incoming.reply.Send(reply);
}

void Listener::OnRequestsEnd() { delete this; }

// --- the server ---

// For whoever it is, and at the same port as before: that is what peers know, and what the program
// has asked its own host for.
void Listener::Ask() {
  attempt_ = std::make_unique<Attempt>(loop_, this, config_, Request{Command::kBind, wanted_});
  attempt_->Start();
}

void Listener::Tell() {
  for (ReplyPipe& reply : std::exchange(waiting_, {})) reply.Send(state_);
}

void Listener::Settled() {
  for (ReplyPipe& reply : std::exchange(settling_, {})) reply.Send(state_);
}

void Listener::AskLater() { timer_.Start(backoff_.NextMs()); }

void Listener::OnListening() {
  state_ = {};
  state_.bound = attempt_->Bound();
  wanted_.port = state_.bound.port;
  listening_since_ = uv_now(loop_);
  if (first_) std::exchange(first_, std::nullopt)->Send(state_);
  Tell();
}

void Listener::OnAttemptEnd(const Status& error) {
  if (error.ok()) return PassOn();
  const bool listened = attempt_->listening();
  state_ = {};
  state_.error = ConnectErrno(error.code());
  state_.message =
      "cannot listen through " + attempt_->server().ToString() + ": " + error.message();
  Log::Info(state_.message);
  attempt_.reset();
  Tell();
  if (first_) {
    first_->Send(state_);
    delete this;
  } else if (listened && backoff_.Lasted(uv_now(loop_) - listening_since_)) {
    Ask();
  } else {
    AskLater();
  }
}

// --- the application ---

void Listener::PassOn() {
  state_ = {};
  auto arrival = std::make_unique<Arrival>();
  Caller caller = {Address(), attempt_->engine().peer(), attempt_->Bound()};
  arrival->codec = NewCodec(attempt_->engine().TakeLayer());
  arrival->codec->plaintext() = attempt_->engine().TakeEarlyData();
  UniqueFd socket = attempt_->TakeSocket();
  attempt_.reset();
  arrival->wire = Stream::Open(loop_, socket.get());
  arrival->plain = Stream::New(loop_);
  if (arrival->wire == nullptr || arrival->plain == nullptr) return AskLater();
  (void)socket.Release();
  arrival->wire->ResetOnClose(true);

  uv_tcp_t* const plain = arrival->plain->handle();
  const sockaddr_storage from = SocketAddress(LoopbackAddress(own_.type, 0));
  const sockaddr_storage to = SocketAddress(own_);
  if (uv_tcp_bind(plain, reinterpret_cast<const sockaddr*>(&from), 0) != 0 ||
      uv_tcp_connect(&arrival->request, plain, reinterpret_cast<const sockaddr*>(&to),
                     &OnConnect) != 0) {
    return AskLater();
  }
  arrival->plain->ResetOnClose(true);
  caller.stand_in = arrival->plain->LocalAddress();
  arrival->port = caller.stand_in.port;
  arrival->callers = callers_;
  arrival->listener = this;
  arrival->request.data = arrival.get();
  arrival_ = arrival.release();
  callers_->Add(std::move(caller));
}

void Listener::OnConnect(uv_connect_t* request, int error) {
  const std::unique_ptr<Arrival> self(static_cast<Arrival*>(request->data));
  Listener* const listener = self->listener;
  if (listener != nullptr) listener->arrival_ = nullptr;
  if (error != 0) {
    self->callers->End(self->port);
    if (listener != nullptr) listener->AskLater();
    return;
  }
  auto* connection =
      new Connection(request->handle->loop, std::move(self->codec), std::move(self->wire),
                     std::move(self->plain), std::move(self->callers), self->port);
  connection->Start();
  if (listener != nullptr) listener->Ask();
}

}  // namespace socksify
