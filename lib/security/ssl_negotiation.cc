#include "lib/security/ssl_negotiation.h"

#include <algorithm>
#include <utility>

#include "lib/security/library_gate.h"

namespace socksify {

Result<bool> SslNegotiation::Negotiate(ByteView input, size_t* consumed, Bytes* output) {
  const LibraryGate gate;
  *consumed = 0;
  if (!error_.ok()) return error_;
  if (session_ == nullptr && !established()) {
    auto session = NewSession();
    if (!session.ok()) return error_ = session.status();
    session_ = std::move(*session);
    if (Status status = Shake({}, output); !status.ok()) return Fail(std::move(status), output);
  }
  while (!agreed_) {
    const ByteView rest = input.subspan(*consumed);
    auto size = FrameSize(rest);
    if (!size.ok()) return Fail(size.status(), output);
    wanted_ = *size == 0 ? kFrameHeaderSize - rest.size() : *size - std::min(*size, rest.size());
    if (wanted_ != 0) return false;
    *consumed += *size;
    Bytes data(rest.begin() + kFrameHeaderSize, rest.begin() + static_cast<ptrdiff_t>(*size));
    Status status = TakeData(data, output);
    Wipe(data);  // it has been opened in place
    if (!status.ok()) return Fail(std::move(status), output);
  }
  if (!established()) Establish(std::move(session_));
  return true;
}

Status SslNegotiation::TakeData(ByteSpan data, Bytes* output) {
  return splitter_.Feed(
      data, [&](ByteSpan record, bool) -> Status { return TakeRecord(record, output); });
}

Status SslNegotiation::TakeRecord(ByteSpan record, Bytes* output) {
  if (!shaken_) return Shake(record, output);
  auto plain = session_->Open(record);
  if (!plain.ok()) return plain.status();
  Append(inbox_, *plain);
  if (session_->peer_closed()) {
    farewell_ = Farewell::kOrderly;
    return {Errc::kServerClosed, "the peer closed in the middle of the negotiation"};
  }
  if (agreed_ || plain->empty()) return {};
  Bytes reply;
  auto agreed = TakePlaintext(&reply);
  Status sent = Send(reply, output);  // also what goes before a failure
  Wipe(reply);                        // a password, maybe
  if (!agreed.ok()) return agreed.status();
  agreed_ = *agreed;
  return sent;
}

Status SslNegotiation::Shake(ByteView record, Bytes* output) {
  Bytes records;
  auto done = session_->Handshake(record, &records);
  AppendFrames(SslState::kHandshake, records, output);
  if (!done.ok()) {
    farewell_ = Farewell::kNone;  // the alert has gone already
    return done.status();
  }
  if (!*done) return {};
  shaken_ = true;
  session_->Describe(&summary_);
  Bytes reply;
  if (Status status = HandshakeDone(&reply); !status.ok()) return status;
  return Send(reply, output);
}

Result<bool> SslNegotiation::TakeSubauthentication(Bytes* reply) {
  size_t consumed = 0;
  auto done = subauth_->Negotiate(inbox_, &consumed, reply);
  DropInbox(consumed);
  if (!done.ok()) return RefuseOrderly(done.status());
  if (!*done) return false;
  const SecuritySummary inner = subauth_->Summary();
  if (!inner.client_principal.empty()) summary_.client_principal = inner.client_principal;
  subauth_ = nullptr;
  return true;
}

void SslNegotiation::DropInbox(size_t count) {
  Wipe(ByteSpan(inbox_).first(count));
  inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<ptrdiff_t>(count));
}

Status SslNegotiation::Refuse(gnutls_alert_description_t alert, Status why) {
  alert_ = alert;
  return why;
}

Status SslNegotiation::RefuseOrderly(Status why) {
  farewell_ = Farewell::kOrderly;
  return why;
}

void SslNegotiation::Agree(const SslOptions& options) {
  std::string text;
  for (SslOption option : options.options) {
    text += text.empty() ? "" : ", ";
    text += option == SslOption::kUdpNaked ? "UDP in clear" : "subauthentication";
  }
  if (options.Has(SslOption::kUdpNaked)) AgreeUdpNaked();
  summary_.details.emplace_back("options", text.empty() ? "none" : text);
}

Status SslNegotiation::Send(ByteView plain, Bytes* output) {
  if (plain.empty()) return {};
  Bytes records;
  if (Status status = session_->Seal(plain, &records); !status.ok()) return status;
  AppendFrames(SslState::kOptions, records, output);
  return {};
}

// Tells the peer, in the state that its own progress gives.
Status SslNegotiation::Fail(Status error, Bytes* output) {
  Bytes records;
  SslState state = shaken_ ? SslState::kOptions : SslState::kHandshake;
  if (farewell_ == Farewell::kAlert) session_->AppendAlert(alert_, &records);
  if (farewell_ == Farewell::kOrderly) {
    state = SslState::kClosing;
    (void)session_->CloseNotify(&records);
  }
  AppendFrames(state, records, output);
  return error_ = std::move(error);
}

}  // namespace socksify
