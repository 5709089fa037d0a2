// What the two roles of the SSL method share until it is established: the handshake, and the
// options and subauthentication inside TLS. Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_NEGOTIATION_H_
#define LIB_SECURITY_SSL_NEGOTIATION_H_

#include <memory>
#include <string>

#include "lib/security/ssl_base.h"
#include "lib/security/ssl_session.h"
#include "lib/wire/ssl_options.h"

namespace socksify {

class SslNegotiation : public SslLayer {
 public:
  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) final;
  size_t WantedOctets() const final { return wanted_; }
  Bytes TakeEarlyPlaintext() final { return std::exchange(inbox_, {}); }

 protected:
  virtual Result<std::unique_ptr<SslSession>> NewSession() = 0;
  // The handshake is over: what the role says first.
  virtual Status HandshakeDone(Bytes* reply) = 0;
  // Some plaintext has come: takes what it can off the beginning of inbox(), appends to `reply`.
  // Returns true when all is agreed.
  virtual Result<bool> TakePlaintext(Bytes* reply) = 0;

  SslSession& session() { return *session_; }
  ByteView inbox() const { return inbox_; }
  void DropInbox(size_t count);

  // One method inside TLS, from here on; what it says first is appended to `reply`.
  void Subauthenticate(std::unique_ptr<SecurityLayer> method) { subauth_ = std::move(method); }
  bool subauthenticating() const { return subauth_ != nullptr; }
  Result<bool> TakeSubauthentication(Bytes* reply);

  // Before failing: the peer is told by a fatal alert, or in an orderly way.
  Status Refuse(gnutls_alert_description_t alert, Status why);
  Status RefuseOrderly(Status why);

  void Agree(const SslOptions& options);  // also for the summary

 private:
  enum class Farewell : uint8_t { kNone, kAlert, kOrderly };

  Status TakeData(ByteSpan data, Bytes* output);
  Status TakeRecord(ByteSpan record, Bytes* output);
  Status Shake(ByteView record, Bytes* output);
  Status Send(ByteView plain, Bytes* output);
  Status Fail(Status error, Bytes* output);

  std::unique_ptr<SslSession> session_;  // until it is established
  std::unique_ptr<SecurityLayer> subauth_;
  Bytes inbox_;  // plaintext that is not taken yet
  Status error_;
  size_t wanted_ = kFrameHeaderSize;
  bool shaken_ = false;
  bool agreed_ = false;
  Farewell farewell_ = Farewell::kAlert;
  gnutls_alert_description_t alert_ = GNUTLS_A_HANDSHAKE_FAILURE;
};

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_NEGOTIATION_H_
