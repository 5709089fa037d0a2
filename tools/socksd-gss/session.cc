#include "tools/socksd-gss/session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lib/base/log.h"

namespace socksify {
namespace {

constexpr uint64_t kNegotiationMs = 30'000;
constexpr uint64_t kLingerMs = 5'000;  // RFC 1928 section 6 allows 10 s
constexpr uint64_t kNamesMs = 30'000;  // for those that the last datagrams are for

// May letting a client in by this method need a hash?
bool IsSlow(Method method, const ServerPolicy& policy) {
  const bool ssl = method == Method::kSsl || method == Method::kSslIana;
  const bool asks = ssl ? std::ranges::count(policy.subauth, Method::kUserpass) != 0
                        : method == Method::kUserpass;
  return asks && policy.users.hashes();
}

}  // namespace

Session::Session(uv_loop_t* loop, SessionHost* host, std::shared_ptr<const ServerRules> rules,
                 StreamPtr client)
    : loop_(loop),
      host_(host),
      rules_(std::move(rules)),
      client_(std::move(client)),
      peer_(client_->PeerAddress()),
      engine_(ServerEngine::New(rules_->policy)),
      timer_(
          loop, [](void* self) { static_cast<Session*>(self)->OnTimer(); }, this) {}

void Session::Start() {
  client_->set_owner(this);
  client_->Tune();
  client_->StartReading();
  timer_.Start(kNegotiationMs);
}

// --- what happens ---

void Session::OnOctets(Stream*, ByteSpan octets) {
  if (lingering_) return;
  // By itself, since the choice of the method says where the rest is to be worked on.
  while (!octets.empty() && engine_->method() == Method::kNoAcceptable &&
         engine_->state() == ServerEngine::State::kNegotiating) {
    engine_->Feed(octets.first(1));
    octets = octets.subspan(1);
  }
  if (engine_->state() == ServerEngine::State::kNegotiating && !octets.empty() &&
      IsSlow(engine_->method(), rules_->policy)) {
    SendOutput();
    client_->StopReading();
    slow_input_.assign(octets.begin(), octets.end());
    working_ = true;
    return host_->slow_lane().Add(this);
  }
  engine_->Feed(octets);
  Advance();
}

void Session::Work() { engine_->Feed(slow_input_); }

void Session::OnWorked() {
  working_ = false;
  Wipe(slow_input_);
  slow_input_ = {};
  if (!end_when_worked_.empty()) return End(end_when_worked_);
  client_->StartReading();
  Advance();
}

void Session::OnEnd(Stream*, int error) {
  const char* reason = error == 0 ? "closed by the client" : uv_strerror(error);
  if (association_ == nullptr || association_->Finish()) return End(reason);
  if (why_.empty()) why_ = reason;
  client_ended_ = true;
  timer_.Start(kNamesMs);
}

void Session::OnWritten(Stream*) {}

void Session::OnWriteError(Stream* stream, int error) { OnEnd(stream, error); }

void Session::OnShutdown(Stream*) {}

void Session::OnConnected(Reply reply, StreamPtr target) {
  connector_ = nullptr;
  if (reply != Reply::kSucceeded) return Answer(reply, {});
  const Address bound = target->LocalAddress();
  Pump(bound, std::move(target));
}

void Session::OnListening(Reply reply, const Address& bound) {
  if (reply != Reply::kSucceeded) peer_listener_ = nullptr;
  Answer(reply, bound);
}

void Session::OnPeer(Reply reply, StreamPtr peer, const Address& from) {
  peer_listener_ = nullptr;
  share_ = nullptr;
  if (reply != Reply::kSucceeded) return Answer(reply, {});
  Pump(from, std::move(peer));
}

void Session::OnIdle() { Part("idle"); }

void Session::OnFinished() {
  if (client_ended_) return End(why_);
  Release();
  timer_.Start(kLingerMs);
}

void Session::OnRelayEnd() {
  switch (relay_->end()) {
    case Relay::End::kResetByWire:
      return End("reset by the client");
    case Relay::End::kResetByPlain:
      return End("reset by the target");
    default:
      return End("closed");
  }
}

void Session::OnTimer() {
  End(lingering_ || client_ended_ ? "closed" : "the negotiation took too long");
}

// --- what follows from it ---

// Carries out whatever the engine has come to.
void Session::Advance() {
  SendOutput();
  switch (engine_->state()) {
    case ServerEngine::State::kNegotiating:
      return;
    case ServerEngine::State::kRequest:
      return Serve();
    case ServerEngine::State::kAssociated:
      if (engine_->peer_closed()) Part("closed by the client");
      return;
    case ServerEngine::State::kFailed:
      return Linger();
    case ServerEngine::State::kListening:
    case ServerEngine::State::kRelaying:  // the relay's
      return;
  }
}

void Session::SendOutput() {
  client_->Write(engine_->output());
  engine_->output() = {};
}

// Begins what is asked for.
void Session::Serve() {
  if (requested_) return;
  requested_ = true;
  timer_.Stop();
  const Request& request = engine_->request();
  if (request.command == Command::kConnect) {
    client_->StopReading();  // what it sends ahead can wait in the kernel
    connector_ = std::make_unique<Connector>(loop_, this, rules_->targets);
    return connector_->Start(request.destination, rules_->connect_seconds);
  }
  // These go on reading: they end when the client does.
  share_ = Quota::Take(rules_->quota, peer_);
  if (share_ == nullptr) {
    Log::Warn(Describe() + ": has as many ports open as --max-ports allows");
    return Answer(Reply::kGeneralFailure, {});
  }
  if (request.command == Command::kUdpAssociate) return Associate();
  peer_listener_ = std::make_unique<PeerListener>(loop_, this, *rules_);
  peer_listener_->Start(request.destination, client_->LocalSocketAddress());
}

void Session::Associate() {
  sockaddr_storage local = client_->LocalSocketAddress();
  SetPort(&local, 0);
  association_ = std::make_unique<Association>(loop_, this, *rules_, engine_->layer(), peer_,
                                               engine_->request().destination);
  if (const int error = association_->Open(local); error != 0) {
    association_ = nullptr;
    return Answer(ReplyForError(-error), {});
  }
  Answer(Reply::kSucceeded, association_->address());
}

void Session::Answer(Reply reply, const Address& bound) {
  engine_->Answer(reply, bound);
  Advance();
}

void Session::Pump(const Address& bound, StreamPtr target) {
  engine_->Answer(Reply::kSucceeded, bound);
  relay_ = std::make_unique<Relay>(loop_, this, *engine_, std::move(client_), std::move(target));
  relay_->Start();
}

// Ends an association of which nothing has failed.
void Session::Part(std::string_view why) {
  why_ = why;
  engine_->Close();
  SendOutput();
  Linger();
}

// The reply must reach the client: closing with octets unread would reset the connection under it.
void Session::Linger() {
  lingering_ = true;
  peer_listener_ = nullptr;
  if (association_ != nullptr && association_->Finish()) Release();
  client_->Shutdown();
  client_->StartReading();
  timer_.Start(association_ != nullptr ? kNamesMs : kLingerMs);
}

// Lets go of an association, and keeps what is to be told of it.
void Session::Release() {
  passed_ = association_->Describe();
  association_ = nullptr;
}

void Session::End(std::string_view reason) {
  if (working_) {
    end_when_worked_ = reason;
    return;
  }
  if (Log::Enabled(LogLevel::kInfo)) {
    if (!why_.empty()) reason = why_;
    if (!engine_->error().ok()) reason = engine_->error().message();
    Log::Info(Describe() + ": " + Passed() + "; " + std::string(reason));
  }
  host_->EndSession(this);
}

std::string Session::Describe() const {
  const SecuritySummary summary = engine_->summary();
  std::string line = "client " + peer_.ToString();
  if (!summary.client_principal.empty()) line += ", " + summary.client_principal;
  if (engine_->method() != Method::kNoAcceptable) {
    line += std::string(", method ") + MethodName(engine_->method());
  }
  if (summary.level != ProtectionLevel::kNone) {
    line += std::string(", level ") + ProtectionLevelName(summary.level);
  }
  if (!requested_) return line;
  const Request& request = engine_->request();
  switch (request.command) {
    case Command::kConnect:
      return line + ", target " + request.destination.ToString();
    case Command::kBind:
      return line + ", BIND for " + request.destination.ToString();
    default:
      return line + ", UDP";
  }
}

std::string Session::Passed() const {
  if (association_ != nullptr) return association_->Describe();
  if (!passed_.empty()) return passed_;
  return std::to_string(relay_ ? relay_->opened() : 0) + " octets up, " +
         std::to_string(relay_ ? relay_->sealed() : 0) + " down";
}

}  // namespace socksify
