// One session of GnuTLS on memory: whole records in, whole records out, no descriptor. Private to
// security/ssl_*.
#ifndef LIB_SECURITY_SSL_SESSION_H_
#define LIB_SECURITY_SSL_SESSION_H_

#include <memory>
#include <string>

#include "lib/base/secret.h"
#include "lib/security/security_layer.h"
#include "lib/security/ssl_credentials.h"
#include "lib/security/ssl_records.h"
#include "lib/security/ssl_verify.h"

namespace socksify {

struct TrafficKeys;  // lib/security/ssl_traffic.h
struct TrafficSuite;

// Directs what GnuTLS writes for as long as it lives.
class Directed {
 public:
  Directed(Bytes** sink, Bytes* to) : sink_(sink) { *sink_ = to; }
  Directed(const Directed&) = delete;
  Directed& operator=(const Directed&) = delete;
  ~Directed() { *sink_ = nullptr; }

 private:
  Bytes** const sink_;
};

class SslSession final : public SslRecords {
 public:
  // For the client: `name` is the server's; `resumed` an earlier session with it, or empty.
  static Result<std::unique_ptr<SslSession>> Client(std::shared_ptr<const SslCredential> credential,
                                                    std::string name, const Secret& resumed);
  static Result<std::unique_ptr<SslSession>> Server(
      std::shared_ptr<const SslCredential> credential);

  SslSession(const SslSession&) = delete;
  SslSession& operator=(const SslSession&) = delete;

  // Goes on with one record of the peer; with none, begins. True once it is over. Octets for the
  // peer are appended to `out`, also on failure.
  Result<bool> Handshake(ByteView record, Bytes* out);

  // Refuses the peer; appends what tells it.
  void AppendAlert(gnutls_alert_description_t alert, Bytes* out);

  // What a later session of a client with this server can begin with; empty without a ticket.
  Secret TakeTicket();

  void Describe(SecuritySummary* summary) const;  // of the peer: its principal, too
  std::string peer_subject() const { return PeerSubject(session_.get()); }

  Status Seal(ByteView plain, Bytes* out) override;
  Result<ByteSpan> Open(ByteSpan record) override;
  Status CloseNotify(Bytes* out) override;
  bool peer_closed() const override { return peer_closed_; }
  size_t max_plaintext() const override;
  size_t overhead() const override;
  Status Export(Bytes* state, Bytes* out) override;

 private:
  SslSession(std::shared_ptr<const SslCredential> credential, bool server, std::string name);
  Status Start(const Secret& resumed);
  static Result<std::unique_ptr<SslSession>> Started(std::unique_ptr<SslSession> session,
                                                     const Secret& resumed);

  // GnuTLS's transport, and what else it calls.
  static ssize_t Pull(gnutls_transport_ptr_t self, void* to, size_t count);
  static ssize_t Push(gnutls_transport_ptr_t self, const void* octets, size_t count);
  static int Verify(gnutls_session_t session);
  static int KeepSecret(gnutls_session_t session, const char* label, const gnutls_datum_t* secret);
  static int NoteKeyUpdate(gnutls_session_t session, unsigned type, unsigned when,
                           unsigned incoming, const gnutls_datum_t* message);

  CertificateVerdict VerifyPeer() const;
  Status ExportKeys(const TrafficSuite& suite, bool read, TrafficKeys* keys) const;
  Status HandshakeError(int error, Bytes* out);
  Status AlertError() const;  // the peer has sent one

  const std::shared_ptr<const SslCredential> credential_;  // outlives the session
  const bool server_;
  const std::string name_;
  GnutlsSession session_;
  ByteView source_;        // what Pull gives
  Bytes* sink_ = nullptr;  // where Push appends; null: due_
  Bytes due_;              // goes before what is sent next
  CertificateVerdict verdict_;
  Secret client_secret_, server_secret_;  // TLS 1.3: traffic secrets of the first keys
  bool update_due_ = false;               // the peer asks for new keys of ours, too
  bool peer_closed_ = false;
};

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_SESSION_H_
