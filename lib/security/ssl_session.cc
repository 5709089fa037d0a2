#include "lib/security/ssl_session.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace socksify {
namespace {

SslSession* Self(gnutls_session_t session) {
  return static_cast<SslSession*>(gnutls_session_get_ptr(session));
}

// "TLS1.3" with the space that people write.
std::string VersionName(gnutls_protocol_t version) {
  const char* name = gnutls_protocol_get_name(version);
  std::string text = name == nullptr ? "TLS" : name;
  if (text.starts_with("TLS") && text.size() > 3) text.insert(3, " ");
  return text;
}

std::string Text(const char* name) { return name == nullptr ? "" : name; }

}  // namespace

SslSession::SslSession(std::shared_ptr<const SslCredential> credential, bool server,
                       std::string name)
    : credential_(std::move(credential)), server_(server), name_(std::move(name)) {}

Result<std::unique_ptr<SslSession>> SslSession::Client(
    std::shared_ptr<const SslCredential> credential, std::string name, const Secret& resumed) {
  return Started(std::unique_ptr<SslSession>(
                     new SslSession(std::move(credential), /*server=*/false, std::move(name))),
                 resumed);
}

Result<std::unique_ptr<SslSession>> SslSession::Server(
    std::shared_ptr<const SslCredential> credential) {
  return Started(
      std::unique_ptr<SslSession>(new SslSession(std::move(credential), /*server=*/true, {})), {});
}

Result<std::unique_ptr<SslSession>> SslSession::Started(std::unique_ptr<SslSession> session,
                                                        const Secret& resumed) {
  if (Status status = session->Start(resumed); !status.ok()) return status;
  return session;
}

Status SslSession::Start(const Secret& resumed) {
  const unsigned flags =
      (server_ ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
  int error = gnutls_init(session_.address(), flags);
  gnutls_session_t session = session_.get();
  if (error >= 0) error = gnutls_priority_set(session, credential_->priority.get());
  if (error >= 0) {
    error =
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credential_->certificates.get());
  }
  if (error >= 0 && server_) {
    error = gnutls_session_ticket_enable_server(session, credential_->ticket_key.get());
  }
  if (error >= 0 && !server_ && !IsIpAddress(name_)) {
    error = gnutls_server_name_set(session, GNUTLS_NAME_DNS, name_.data(), name_.size());
  }
  if (error < 0) return GnutlsError(Errc::kConfig, "cannot begin a TLS session", error);
  if (server_) {
    gnutls_certificate_server_set_request(
        session, credential_->asks_clients ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
  }
  if (!resumed.empty()) {  // a ticket that will not do costs nothing
    (void)gnutls_session_set_data(session, resumed.octets().data(), resumed.octets().size());
  }
  gnutls_session_set_ptr(session, this);
  gnutls_session_set_verify_function(session, Verify);
  gnutls_session_set_keylog_function(session, KeepSecret);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_KEY_UPDATE, GNUTLS_HOOK_POST,
                                     NoteKeyUpdate);
  gnutls_transport_set_ptr(session, this);
  gnutls_transport_set_pull_function(session, Pull);
  gnutls_transport_set_push_function(session, Push);
  // Nobody waits here: what has not come, comes with a later call.
  gnutls_transport_set_pull_timeout_function(session,
                                             [](gnutls_transport_ptr_t, unsigned) { return 0; });
  return {};
}

ssize_t SslSession::Pull(gnutls_transport_ptr_t self, void* to, size_t count) {
  auto* session = static_cast<SslSession*>(self);
  if (session->source_.empty()) {
    gnutls_transport_set_errno(session->session_.get(), EAGAIN);
    return -1;
  }
  count = std::min(count, session->source_.size());
  memcpy(to, session->source_.data(), count);
  session->source_ = session->source_.subspan(count);
  return static_cast<ssize_t>(count);
}

ssize_t SslSession::Push(gnutls_transport_ptr_t self, const void* octets, size_t count) {
  auto* session = static_cast<SslSession*>(self);
  Append(session->sink_ != nullptr ? *session->sink_ : session->due_,
         {static_cast<const uint8_t*>(octets), count});
  return static_cast<ssize_t>(count);
}

int SslSession::Verify(gnutls_session_t session) {
  SslSession* self = Self(session);
  self->verdict_ = self->VerifyPeer();
  return self->verdict_.status.ok() ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

CertificateVerdict SslSession::VerifyPeer() const {
  if (server_) return VerifyClientCertificate(session_.get());
  return VerifyServerCertificate(session_.get(), name_, credential_->trusted);
}

int SslSession::KeepSecret(gnutls_session_t session, const char* label,
                           const gnutls_datum_t* secret) {
  SslSession* self = Self(session);
  const std::string_view text = AsText({secret->data, secret->size});
  if (strcmp(label, "CLIENT_TRAFFIC_SECRET_0") == 0) self->client_secret_ = Secret(text);
  if (strcmp(label, "SERVER_TRAFFIC_SECRET_0") == 0) self->server_secret_ = Secret(text);
  return 0;
}

int SslSession::NoteKeyUpdate(gnutls_session_t session, unsigned, unsigned, unsigned incoming,
                              const gnutls_datum_t* message) {
  if (incoming != 0 && message->size == 1 && message->data[0] == 1) {
    Self(session)->update_due_ = true;
  }
  return 0;
}

Result<bool> SslSession::Handshake(ByteView record, Bytes* out) {
  const Directed directed(&sink_, out);
  source_ = record;
  int error;
  do {
    error = gnutls_handshake(session_.get());
  } while (error < 0 && error != GNUTLS_E_AGAIN && gnutls_error_is_fatal(error) == 0);
  if (error == GNUTLS_E_AGAIN) return false;
  if (error < 0) return HandshakeError(error, out);
  const gnutls_protocol_t version = gnutls_protocol_get_version(session_.get());
  if (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3) {
    return HandshakeError(GNUTLS_E_UNSUPPORTED_VERSION_PACKET, out);
  }
  // Nobody shows a certificate in a resumed session: it is the one that was shown then.
  if (gnutls_session_is_resumed(session_.get()) != 0 && (!server_ || credential_->asks_clients)) {
    verdict_ = VerifyPeer();
    if (!verdict_.status.ok()) return HandshakeError(GNUTLS_E_CERTIFICATE_ERROR, out);
  }
  return true;
}

Status SslSession::HandshakeError(int error, Bytes* out) {
  if (!verdict_.status.ok()) {
    AppendAlert(verdict_.alert, out);
    return verdict_.status;
  }
  if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) return AlertError();
  if (server_ &&
      (error == GNUTLS_E_NO_CERTIFICATE_FOUND || error == GNUTLS_E_CERTIFICATE_REQUIRED)) {
    const bool tls13 = gnutls_protocol_get_version(session_.get()) == GNUTLS_TLS1_3;
    AppendAlert(tls13 ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE, out);
    return {Errc::kAuthentication, "the client shows no certificate"};
  }
  const Directed directed(&sink_, out);
  (void)gnutls_alert_send_appropriate(session_.get(), error);
  return GnutlsError(Errc::kAuthentication, "the TLS handshake failed", error);
}

Status SslSession::AlertError() const {
  const gnutls_alert_description_t alert = gnutls_alert_get(session_.get());
  std::string text = std::string("the ") + (server_ ? "client" : "server") +
                     " ended the TLS session: " + Text(gnutls_alert_get_name(alert));
  if (server_) return {Errc::kAuthentication, std::move(text)};
  switch (alert) {
    case GNUTLS_A_CERTIFICATE_REQUIRED:
    case GNUTLS_A_BAD_CERTIFICATE:
    case GNUTLS_A_UNKNOWN_CA:
    case GNUTLS_A_CERTIFICATE_EXPIRED:
    case GNUTLS_A_CERTIFICATE_REVOKED:
    case GNUTLS_A_CERTIFICATE_UNKNOWN:
    case GNUTLS_A_UNSUPPORTED_CERTIFICATE:
      text += "; it wants another certificate of ours, see --tls-cert";
      break;
    case GNUTLS_A_ACCESS_DENIED:
      text += "; it wants more than is offered, see --subauth";
      break;
    case GNUTLS_A_PROTOCOL_VERSION:
    case GNUTLS_A_HANDSHAKE_FAILURE:
    case GNUTLS_A_INSUFFICIENT_SECURITY:
      text += "; see --tls-priority, --tls-cert";
      break;
    default:
      break;
  }
  return {Errc::kAuthentication, std::move(text)};
}

void SslSession::AppendAlert(gnutls_alert_description_t alert, Bytes* out) {
  const Directed directed(&sink_, out);
  (void)gnutls_alert_send(session_.get(), GNUTLS_AL_FATAL, alert);
}

Secret SslSession::TakeTicket() {
  if ((gnutls_session_get_flags(session_.get()) & GNUTLS_SFLAGS_SESSION_TICKET) == 0) return {};
  GnutlsDatum data;
  if (gnutls_session_get_data2(session_.get(), data.get()) < 0) return {};
  return Secret(AsText(data.octets()));
}

void SslSession::Describe(SecuritySummary* summary) const {
  gnutls_session_t session = session_.get();
  const std::string version = VersionName(gnutls_protocol_get_version(session));
  const std::string cipher = Text(gnutls_cipher_get_name(gnutls_cipher_get(session)));
  std::string exchange = Text(gnutls_group_get_name(gnutls_group_get(session)));
  if (exchange.empty()) exchange = Text(gnutls_kx_get_name(gnutls_kx_get(session)));
  const std::string signature = Text(gnutls_sign_get_name(
      static_cast<gnutls_sign_algorithm_t>(gnutls_sign_algorithm_get(session))));
  if (!signature.empty()) exchange += ", " + signature;
  summary->mechanism = version + " (" + cipher + ")";
  summary->details.emplace_back("tls version", version);
  summary->details.emplace_back("cipher", cipher);
  summary->details.emplace_back("key exchange", exchange);
  for (std::string& certificate : DescribeCertificates(session)) {
    summary->details.emplace_back("certificate", std::move(certificate));
  }
  summary->details.emplace_back("resumed", gnutls_session_is_resumed(session) != 0 ? "yes" : "no");
}

size_t SslSession::max_plaintext() const {
  return std::min(gnutls_record_get_max_size(session_.get()), kMaxRecordPlaintext);
}

size_t SslSession::overhead() const { return gnutls_record_overhead_size(session_.get()); }

Status SslSession::Seal(ByteView plain, Bytes* out) {
  const Directed directed(&sink_, out);
  Append(*out, std::exchange(due_, {}));
  while (!plain.empty()) {
    const ssize_t count = gnutls_record_send(session_.get(), plain.data(), plain.size());
    if (count <= 0) {
      return GnutlsError(Errc::kIntegrity, "cannot protect a message", static_cast<int>(count));
    }
    plain = plain.subspan(static_cast<size_t>(count));
  }
  update_due_ = false;  // it went first
  return {};
}

Result<ByteSpan> SslSession::Open(ByteSpan record) {
  source_ = record;
  size_t size = 0;
  while (!peer_closed_) {
    // GnuTLS has taken what it gives back out of the record, which is larger.
    const ssize_t count =
        gnutls_record_recv(session_.get(), record.data() + size, record.size() - size);
    if (count > 0) {
      size += static_cast<size_t>(count);
      if (size < record.size()) continue;
      return {Errc::kIntegrity, "a record holds more than it can"};
    }
    if (count == 0) {
      peer_closed_ = true;
    } else if (count == GNUTLS_E_AGAIN) {
      break;
    } else if (count == GNUTLS_E_REHANDSHAKE) {
      return {Errc::kPolicy, "the peer wants to renegotiate, which is not done"};
    } else if (count == GNUTLS_E_FATAL_ALERT_RECEIVED) {
      return AlertError();
    } else if (gnutls_error_is_fatal(static_cast<int>(count)) != 0) {
      return GnutlsError(Errc::kIntegrity, "a record of the peer fails its check",
                         static_cast<int>(count));
    }
  }
  return record.first(size);
}

Status SslSession::CloseNotify(Bytes* out) {
  const Directed directed(&sink_, out);
  Append(*out, std::exchange(due_, {}));
  const int error = gnutls_bye(session_.get(), GNUTLS_SHUT_WR);
  if (error < 0) return GnutlsError(Errc::kIntegrity, "cannot end the TLS session", error);
  return {};
}

}  // namespace socksify
