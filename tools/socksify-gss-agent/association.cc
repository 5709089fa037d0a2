#include "tools/socksify-gss-agent/association.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "lib/base/log.h"
#include "lib/engine/datagram_codec.h"
#include "lib/io/socket_address.h"
#include "tools/socksify-gss-agent/descriptors.h"

namespace socksify {
namespace {

constexpr int kRoom = 1 << 20;  // for bursts, as far as the system allows

int Family(const Address& address) {
  return address.type == AddressType::kIpv4 ? AF_INET : AF_INET6;
}

}  // namespace

void Association::Start(uv_loop_t* loop, const Config& config, Batch& batch,
                        IncomingRequest incoming) {
  auto* made = new Association(loop, config, batch, incoming);
  AgentReply reply;
  const bool started = made->requests_.Start();
  if (!started) reply.error = EINVAL;
  incoming.reply.Send(reply);
  if (!started) delete made;
}

Association::Association(uv_loop_t* loop, const Config& config, Batch& batch,
                         IncomingRequest& incoming)
    : loop_(loop),
      config_(config),
      batch_(batch),
      requests_(loop, this, std::move(incoming.channel)),
      stand_ins_(loop, this, std::move(incoming.request.own)),
      control_watch_(
          loop, [](void* self) { static_cast<Association*>(self)->OnControl(); }, this),
      relay_watch_(
          loop, [](void* self) { static_cast<Association*>(self)->OnRelay(); }, this),
      timer_(
          loop, [](void* self) { static_cast<Association*>(self)->OnTimer(); }, this) {
  stand_ins_.Listen(true);
}

Association::~Association() { CloseSession(); }

// --- what happens ---

void Association::OnRequest(IncomingRequest incoming) {
  const AgentRequest& request = incoming.request;
  AgentReply reply;
  switch (request.kind) {
    case AgentRequest::Kind::kReach:
      return Answer(request.peer, request.wait, std::move(incoming.reply));
    case AgentRequest::Kind::kWhoIs:
      if (const Address* peer = stand_ins_.WhoIs(request.peer)) {
        reply.peer = *peer;
      } else {
        reply.error = ENOENT;
      }
      break;
    case AgentRequest::Kind::kMoved:
      reply.error = stand_ins_.Move(request.own);
      break;
    case AgentRequest::Kind::kState:
      reply = Outcome();
      break;
    default:
      reply.error = EINVAL;
  }
  incoming.reply.Send(reply);
}

void Association::OnRequestsEnd() {
  leaving_ = true;
  Leave();
}

void Association::OnAttemptEnd(const Status& error) {
  const Status status = error.ok() ? OpenRelay() : error;
  if (!status.ok()) return Fail(status);
  Log::Info("datagrams are relayed by " + attempt_->server().ToString() + " at " +
            bound_.ToString());
  attempt_.reset();
  state_ = State::kUp;
  since_ = uv_now(loop_);
  stand_ins_.ForgetSources();
  stand_ins_.Listen(true);
  (void)control_watch_.Start(control_.get(), UV_READABLE);
  WatchRelay();
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    Answer(waiting.peer, true, std::move(waiting.reply));
  }
  if (leaving_) Leave();
}

void Association::OnStandIn(StandIn& stand_in) {
  if (state_ == State::kIdle) return Make();  // what has come can wait where it is
  if (state_ != State::kUp || !unsent_.empty()) return;
  int error;
  const size_t came = batch_.Receive(stand_in.socket(), &error);
  size_t count = 0;
  for (size_t i = 0; i < came; i++) {
    const ByteView plain = batch_.Prefixed(i, stand_in.head());
    if (plain.size() > layer_->MaxDatagram()) continue;
    Bytes& sealed = batch_.sealed(count);
    sealed.clear();
    if (Status status = layer_->SealDatagram(plain, &sealed); !status.ok()) {
      return End(status.message());
    }
    count++;
  }
  if (came != 0) stand_ins_.Touch(stand_in);
  SendToServer(count);
}

// The server has nothing to say on the control connection, but it ends the association by it.
void Association::OnControl() {
  uint8_t octets[4096];
  const ssize_t count = recv(control_.get(), octets, sizeof octets, MSG_DONTWAIT);
  if (count > 0 || (count == -1 && (errno == EAGAIN || errno == EINTR))) return;
  End(count == 0 ? "the server has ended it" : strerror(errno));
  if (leaving_) Leave();
}

void Association::OnRelay() {
  if (!unsent_.empty()) SendUnsent();
  if (leaving_) return Leave();
  if (state_ != State::kUp) return;
  int error;
  (void)PassOn(&error);
  if (error == ECONNREFUSED) End("the server relays no more");
}

// What has come from the server, a batch of it. False: nothing has, with an errno if that is why.
bool Association::PassOn(int* error) {
  const size_t came = batch_.Receive(relay_.get(), error);
  std::array<ByteView, Batch::kMost> run;  // of datagrams from the same peer
  size_t length = 0;
  Address source;
  for (size_t i = 0; i < came; i++) {
    auto datagram = OpenDatagram(*layer_, batch_.received(i));
    if (!datagram.ok()) continue;  // anybody's
    if (length != 0 && datagram->address != source) {
      Deliver(source, run.data(), std::exchange(length, 0));
    }
    source = std::move(datagram->address);
    run[length++] = datagram->data;
  }
  if (length != 0) Deliver(source, run.data(), length);
  return came != 0;
}

void Association::OnTimer() {
  if (leaving_ && state_ != State::kPaused) {
    delete this;
    return;
  }
  if (state_ == State::kFailed) stand_ins_.Refuse(false);
  state_ = State::kIdle;
  stand_ins_.Listen(true);
  if (!waiting_.empty() || leaving_) Make();
}

// What the application sent before it closed, or ended, is sent on, as the kernel would. The
// control connection stays for a moment behind the last: its end may overtake them.
void Association::Leave() {
  constexpr uint64_t kLingerMs = 500;
  StandIn* pending = stand_ins_.Pending();
  int batches = 256;  // who still sends does not keep the others waiting
  while (state_ == State::kUp && unsent_.empty() && pending != nullptr && batches-- > 0) {
    OnStandIn(*pending);
    pending = stand_ins_.Pending();
  }
  const bool more = (pending != nullptr && batches > 0) || !unsent_.empty();
  if (more && state_ == State::kIdle) return Make();
  if (more && state_ != State::kFailed) return;
  if (state_ != State::kUp || uv_now(loop_) - last_sent_ >= kLingerMs) {
    delete this;
    return;
  }
  stand_ins_.Listen(false);
  stand_ins_.Refuse(true);
  relay_watch_.Stop();
  timer_.Start(kLingerMs);
}

// --- the session ---

void Association::Make() {
  state_ = State::kMaking;
  stand_ins_.Listen(false);
  attempt_ =
      std::make_unique<Attempt>(loop_, this, config_, Request{Command::kUdpAssociate, Address()});
  attempt_->Start();
}

// Takes over what the attempt has come to.
Status Association::OpenRelay() {
  layer_ = attempt_->engine().TakeLayer();
  if (!layer_->relays_datagrams()) {
    return {Errc::kPolicy, "datagrams would go in clear by this method"};
  }
  bound_ = attempt_->Bound();
  if (bound_.type == AddressType::kName) {
    return {Errc::kMalformed, "the server does not say at which address it relays"};
  }
  const Address server = attempt_->ServerAddress();
  Address local = attempt_->LocalAddress();
  control_ = attempt_->TakeSocket();
  relay_ = UniqueFd(socket(Family(bound_), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (relay_.get() == -1 && IsOutOfDescriptors(errno)) return OutOfDescriptors();
  (void)setsockopt(relay_.get(), SOL_SOCKET, SO_RCVBUF, &kRoom, sizeof kRoom);
  (void)setsockopt(relay_.get(), SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
  if (server.Host() == bound_.Host()) {  // it may take datagrams from its client's address alone
    local.port = 0;
    if (const auto name = SockaddrFromAddress(local, Family(bound_))) {
      (void)bind(relay_.get(), name->get(), name->length);
    }
  }
  const auto name = SockaddrFromAddress(bound_, Family(bound_));
  if (!name || connect(relay_.get(), name->get(), name->length) != 0) {
    return {Errc::kNetwork, "the server's relay at " + bound_.ToString() +
                                " cannot be reached: " + strerror(errno)};
  }
  return {};
}

void Association::Fail(const Status& error) {
  failure_ = {};
  failure_.error = ConnectErrno(error.code());
  failure_.message =
      "cannot relay datagrams through " + attempt_->server().ToString() + ": " + error.message();
  Log::Info(failure_.message);
  attempt_.reset();
  CloseSession();
  state_ = State::kFailed;
  stand_ins_.Refuse(true);
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.reply.Send(failure_);
  timer_.Start(leaving_ ? 0 : backoff_.NextMs());
}

void Association::End(std::string_view why) {
  constexpr int kMostBatches = 256;  // more than the kernel keeps
  int error = 0;
  for (int i = 0; i < kMostBatches && !leaving_; i++) {  // what came before the end
    if (!PassOn(&error) && error != ECONNREFUSED) break;
  }
  Log::Info("an association has ended: " + std::string(why));
  CloseSession();
  const bool lasted = backoff_.Lasted(uv_now(loop_) - since_);
  state_ = lasted ? State::kIdle : State::kPaused;
  stand_ins_.Listen(lasted);
  if (!lasted) timer_.Start(backoff_.NextMs());
}

void Association::CloseSession() {
  control_watch_.Stop();
  relay_watch_.Stop();
  Bytes farewell;  // as its method has it, or the server would take the session for cut off
  if (layer_ != nullptr && control_.get() != -1 && layer_->Close(&farewell).ok()) {
    (void)send(control_.get(), farewell.data(), farewell.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  layer_.reset();
  unsent_.clear();
  bound_ = Address();
  control_ = UniqueFd();
  relay_ = UniqueFd();
}

// --- requests ---

void Association::Answer(const Address& peer, bool wait, ReplyPipe reply) {
  if (state_ == State::kFailed) return reply.Send(failure_);
  AgentReply answer = Outcome();
  StandIn* stand_in = stand_ins_.Reach(peer, &answer.error);
  if (stand_in == nullptr) return reply.Send(answer);
  if (state_ == State::kIdle) Make();
  if (wait && state_ != State::kUp) {
    waiting_.push_back({peer, std::move(reply)});
    return;
  }
  answer.stand_in = stand_in->address();
  if (layer_ != nullptr) answer.max_data = MaxDatagramData(*layer_, peer);
  reply.Send(answer);
}

AgentReply Association::Outcome() const {
  if (state_ == State::kFailed) return failure_;
  AgentReply reply;
  reply.bound = bound_;
  return reply;
}

// --- datagrams ---

void Association::SendToServer(size_t count) {
  std::array<ByteView, Batch::kMost> datagrams;
  for (size_t i = 0; i < count; i++) datagrams[i] = batch_.sealed(i);
  int error;
  const size_t done = SendDatagrams(relay_.get(), datagrams.data(), count, &error);
  NoteSent();
  if (error == ECONNREFUSED) return End("the server relays no more");
  for (size_t i = done; i < count; i++) unsent_.push_back(std::exchange(batch_.sealed(i), {}));
  if (unsent_.empty()) return;
  stand_ins_.Listen(false);
  WatchRelay();
}

void Association::NoteSent() {
  uv_update_time(loop_);
  last_sent_ = uv_now(loop_);
}

void Association::SendUnsent() {
  std::array<ByteView, Batch::kMost> datagrams;
  std::ranges::copy(unsent_, datagrams.begin());
  int error;
  const size_t done = SendDatagrams(relay_.get(), datagrams.data(), unsent_.size(), &error);
  NoteSent();
  if (error == ECONNREFUSED) return End("the server relays no more");
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<ptrdiff_t>(done));
  if (!unsent_.empty()) return;
  stand_ins_.Listen(true);
  WatchRelay();
}

// What the application's socket has no room for is lost, as always.
void Association::Deliver(const Address& source, const ByteView* datagrams, size_t count) {
  const StandIn* from = stand_ins_.Meet(source);
  if (from == nullptr) return;
  int error = 0;
  size_t done = 0;
  while (done < count) {
    done += SendDatagrams(from->socket(), datagrams + done, count - done, &error);
    // An earlier one was refused, or there is no room: this one may fit.
    if (error != 0) done++;
  }
}

void Association::WatchRelay() {
  (void)relay_watch_.Start(relay_.get(), unsent_.empty() ? UV_READABLE : UV_READABLE | UV_WRITABLE);
}

}  // namespace socksify
