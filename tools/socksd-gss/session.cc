#include "tools/socksd-gss/session.h"

#include <string>
#include <utility>

#include "lib/base/log.h"

namespace socksify {
namespace {

constexpr uint64_t kNegotiationMs = 30'000;
constexpr uint64_t kLingerMs = 5'000;  // RFC 1928 section 6 allows 10 s
constexpr uint64_t kResetCheckMs = 50;
constexpr unsigned kMaxResetChecks = 200;
constexpr size_t kHighWater = 256 * 1024;  // queued octets above which the other side is not read
constexpr size_t kLowWater = 64 * 1024;

}  // namespace

Session::Session(uv_loop_t* loop, SessionHost* host, const ServerRules& rules, StreamPtr client)
    : loop_(loop),
      host_(host),
      rules_(rules),
      client_(std::move(client)),
      peer_(client_->PeerAddress()),
      engine_(ServerEngine::New(rules.policy)),
      timer_(
          loop, [](void* self) { static_cast<Session*>(self)->OnTimer(); }, this) {}

void Session::Start() {
  client_->set_owner(this);
  client_->Tune();
  client_->StartReading();
  timer_.Start(kNegotiationMs);
}

// --- what happens
// ---------------------------------------------------------------------------------

void Session::OnOctets(Stream* stream, ByteView octets) {
  if (lingering_) return;
  if (stream == client_.get()) {
    engine_->Feed(octets);
  } else {
    down_.octets += octets.size();
    (void)engine_->SendPlaintext(octets);  // a failure is the engine's too
  }
  Advance();
}

void Session::OnEnd(Stream* stream, int error) {
  if (target_ == nullptr) return End(error == 0 ? "closed by the client" : uv_strerror(error));
  Way& way = ReadFrom(stream);
  if (error != 0) {  // it hears and says no more
    WrittenTo(stream).broken = true;
    BeginReset(&way);
  } else if (WrittenTo(stream).broken) {
    BeginReset(&way);  // the error that belongs to this end came with a write
  } else {
    if (stream == client_.get()) engine_->FeedEof();
    if (engine_->state() == ServerEngine::State::kFailed) return Reset(engine_->error().message());
    way.ended = true;
    Other(stream)->Shutdown();
  }
  Balance();
}

void Session::OnWritten(Stream*) {
  if (target_ != nullptr) Balance();
}

void Session::OnWriteError(Stream* stream, int error) {
  if (target_ == nullptr) return End(uv_strerror(error));
  // What it has sent before is still to be read; its end follows, unless it has come already.
  WrittenTo(stream).broken = true;
  if (ReadFrom(stream).ended) BeginReset(&ReadFrom(stream));
  Balance();
}

void Session::OnShutdown(Stream* stream) {
  if (target_ == nullptr) return;
  WrittenTo(stream).shut = true;
  Balance();
}

void Session::OnConnected(Reply reply, StreamPtr target) {
  connector_ = nullptr;
  Address bound;
  if (reply == Reply::kSucceeded) {
    target_ = std::move(target);
    target_->set_owner(this);
    target_->Tune();
    bound = target_->LocalAddress();
  }
  engine_->Answer(reply, bound);
  Advance();
}

void Session::OnTimer() {
  if (target_ != nullptr) return Balance();  // a reset is due
  End(lingering_ ? engine_->error().message() : "the negotiation took too long");
}

// --- what follows from it
// -------------------------------------------------------------------------

// Carries out whatever the engine has come to.
void Session::Advance() {
  client_->Write(std::exchange(engine_->output(), {}));
  switch (engine_->state()) {
    case ServerEngine::State::kNegotiating:
      return;
    case ServerEngine::State::kRequest:
      return Connect();
    case ServerEngine::State::kFailed:
      if (target_ != nullptr) return Reset(engine_->error().message());
      return Linger();
    case ServerEngine::State::kRelaying:
      up_.octets += engine_->plaintext().size();
      target_->Write(std::exchange(engine_->plaintext(), {}));
      return Balance();
  }
}

void Session::Connect() {
  if (connector_ != nullptr) return;
  requested_ = true;
  client_->StopReading();  // what it sends ahead can wait in the kernel
  timer_.Stop();
  connector_ = std::make_unique<Connector>(loop_, this, rules_.targets);
  connector_->Start(engine_->request().destination, rules_.connect_seconds);
}

// The reply must reach the client: closing with octets unread would reset the connection under it.
void Session::Linger() {
  lingering_ = true;
  client_->Shutdown();
  client_->StartReading();
  timer_.Start(kLingerMs);
}

void Session::BeginReset(Way* way) {
  if (!way->reset_due) timer_.Start(kResetCheckMs);
  way->reset_due = true;
}

// Reads where there is room, and ends the session when there is nothing left to do.
void Session::Balance() {
  if (up_.reset_due || down_.reset_due) {
    const bool sent = (!up_.reset_due || up_.broken || target_->unsent() == 0) &&
                      (!down_.reset_due || down_.broken || client_->unsent() == 0);
    if (sent || ++reset_checks_ > kMaxResetChecks) {
      return Reset(up_.reset_due ? "reset by the client" : "reset by the target");
    }
    timer_.Start(kResetCheckMs);
  }
  if (up_.shut && down_.shut) return End("closed");
  BalanceWay(client_.get(), target_.get(), up_);
  BalanceWay(target_.get(), client_.get(), down_);
}

void Session::BalanceWay(Stream* reader, Stream* writer, const Way& way) {
  if (way.ended || way.reset_due) return;
  if (way.broken || writer->queued() > kHighWater) {
    reader->StopReading();
  } else if (writer->queued() <= kLowWater) {
    reader->StartReading();
  }
}

// Both sides are to know that this is no orderly end.
void Session::Reset(std::string_view reason) {
  client_->ResetOnClose();
  target_->ResetOnClose();
  End(reason);
}

void Session::End(std::string_view reason) {
  if (Log::Enabled(LogLevel::kInfo)) {
    if (!engine_->error().ok()) reason = engine_->error().message();
    Log::Info(Describe() + ": " + std::to_string(up_.octets) + " octets up, " +
              std::to_string(down_.octets) + " down; " + std::string(reason));
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
  if (requested_) line += ", target " + engine_->request().destination.ToString();
  return line;
}

}  // namespace socksify
