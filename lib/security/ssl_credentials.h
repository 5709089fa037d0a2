// What one side of the SSL method shows, trusts and speaks, loaded. Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_CREDENTIALS_H_
#define LIB_SECURITY_SSL_CREDENTIALS_H_

#include <memory>
#include <string>

#include "lib/security/ssl_layer.h"
#include "lib/security/ssl_support.h"

namespace socksify {

// Immutable once loaded, so any number of sessions in any number of threads may use one.
struct SslCredential {
  GnutlsCertificates certificates;
  GnutlsPriority priority;
  GnutlsDatum ticket_key;     // of a server
  bool asks_clients = false;  // of a server: a certificate is required
  std::string trusted;        // "the system's certificates", "/etc/ca.pem"
  std::string id;             // of a client: equal for equal settings
};

// The client's, out of the process's cache. kConfig or kCredentials says which file or string is
// wrong.
Result<std::shared_ptr<const SslCredential>> LoadSslInitiatorCredential(
    const SslInitiatorOptions& options);

class SslAcceptorCredential {
 public:
  explicit SslAcceptorCredential(std::shared_ptr<const SslCredential> credential)
      : credential_(std::move(credential)) {}
  const std::shared_ptr<const SslCredential>& get() const { return credential_; }

 private:
  const std::shared_ptr<const SslCredential> credential_;
};

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_CREDENTIALS_H_
