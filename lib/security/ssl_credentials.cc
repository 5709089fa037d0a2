#include "lib/security/ssl_credentials.h"

#include <map>
#include <mutex>
#include <utility>

namespace socksify {
namespace {

// Ciphers that authenticate what they encrypt, and keys that outlive no session.
constexpr char kDefaultPriority[] =
    "NORMAL:-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-CCM:+AES-128-"
    "CCM";
// Behind whatever the user wants.
constexpr char kNoLess[] =
    ":-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL:%SAFE_RENEGOTIATION";

Status SetPriority(const std::string& text, SslCredential* credential) {
  const std::string wanted = (text.empty() ? kDefaultPriority : text) + kNoLess;
  const char* wrong = nullptr;
  const int error = gnutls_priority_init(credential->priority.address(), wanted.c_str(), &wrong);
  const unsigned* versions = nullptr;
  const bool none = error == GNUTLS_E_NO_PRIORITIES_WERE_SET ||
                    (error == GNUTLS_E_SUCCESS &&
                     gnutls_priority_protocol_list(credential->priority.get(), &versions) <= 0);
  if (none) {
    return {Errc::kConfig,
            "tls-priority '" + text + "' leaves nothing that TLS 1.2 or later could use"};
  }
  if (error != GNUTLS_E_SUCCESS) {
    std::string at = wrong == nullptr ? "" : wrong;
    if (at.ends_with(kNoLess)) at.resize(at.size() - sizeof kNoLess + 1);
    return {Errc::kConfig, "tls-priority '" + text + "' is not one of GnuTLS" +
                               (at.empty() ? "" : ": see '" + at + "'")};
  }
  return {};
}

Status SetOwnCertificate(const std::string& cert, const std::string& key,
                         SslCredential* credential) {
  const std::string& key_file = key.empty() ? cert : key;
  const int error = gnutls_certificate_set_x509_key_file(
      credential->certificates.get(), cert.c_str(), key_file.c_str(), GNUTLS_X509_FMT_PEM);
  if (error >= 0) return {};
  return GnutlsError(Errc::kCredentials, "cannot use certificate " + cert + " with key " + key_file,
                     error);
}

Status SetTrust(const std::string& file, SslCredential* credential) {
  const int count = gnutls_certificate_set_x509_trust_file(credential->certificates.get(),
                                                           file.c_str(), GNUTLS_X509_FMT_PEM);
  credential->trusted = file;
  if (count > 0) return {};
  if (count == 0) return {Errc::kCredentials, "there is no certificate in " + file};
  return GnutlsError(Errc::kCredentials, "cannot read the certificates in " + file, count);
}

Result<std::shared_ptr<SslCredential>> NewCredential(const std::string& priority) {
  auto credential = std::make_shared<SslCredential>();
  if (gnutls_certificate_allocate_credentials(credential->certificates.address()) < 0) {
    return {Errc::kCredentials, "GnuTLS has no memory"};
  }
  if (Status status = SetPriority(priority, credential.get()); !status.ok()) return status;
  return credential;
}

Result<std::shared_ptr<const SslCredential>> LoadInitiator(const SslInitiatorOptions& options,
                                                           const std::string& id) {
  auto made = NewCredential(options.tls_priority);
  if (!made.ok()) return made.status();
  SslCredential* credential = made->get();
  credential->id = id;
  if (!options.tls_ca.empty()) {
    if (Status status = SetTrust(options.tls_ca, credential); !status.ok()) return status;
  } else {
    credential->trusted = "the system's certificates";
    const int count = gnutls_certificate_set_x509_system_trust(credential->certificates.get());
    if (count < 0) {
      return GnutlsError(Errc::kCredentials,
                         "cannot read the system's trusted certificates (see --tls-ca)", count);
    }
  }
  if (!options.tls_cert.empty()) {
    Status status = SetOwnCertificate(options.tls_cert, options.tls_key, credential);
    if (!status.ok()) return status;
  } else if (!options.tls_key.empty()) {
    return {Errc::kConfig, "tls-key is given without tls-cert"};
  }
  return std::shared_ptr<const SslCredential>(std::move(*made));
}

}  // namespace

Result<std::shared_ptr<const SslCredential>> LoadSslInitiatorCredential(
    const SslInitiatorOptions& options) {
  static auto& mutex = *new std::mutex;
  static auto& loaded = *new std::map<std::string, std::shared_ptr<const SslCredential>>;
  std::string id;
  for (const std::string* part :
       {&options.tls_ca, &options.tls_cert, &options.tls_key, &options.tls_priority}) {
    id += *part + '\0';
  }
  {
    std::lock_guard lock(mutex);
    if (auto found = loaded.find(id); found != loaded.end()) return found->second;
  }
  // Outside the lock, which a process that forks meanwhile would keep for ever.
  auto credential = LoadInitiator(options, id);
  if (!credential.ok()) return credential;
  std::lock_guard lock(mutex);
  return loaded.emplace(std::move(id), std::move(*credential)).first->second;
}

Result<std::shared_ptr<const SslAcceptorCredential>> AcquireSslAcceptorCredential(
    const std::string& cert, const std::string& key, const std::string& client_ca,
    const std::string& priority) {
  if (cert.empty()) return {Errc::kConfig, "ssl needs a certificate of the server"};
  auto made = NewCredential(priority);
  if (!made.ok()) return made.status();
  SslCredential* credential = made->get();
  if (Status status = SetOwnCertificate(cert, key, credential); !status.ok()) return status;
  if (!client_ca.empty()) {
    if (Status status = SetTrust(client_ca, credential); !status.ok()) return status;
    credential->asks_clients = true;
  }
  const int error = gnutls_session_ticket_key_generate(credential->ticket_key.get());
  if (error < 0) return GnutlsError(Errc::kCredentials, "no key for session tickets", error);
  return std::shared_ptr<const SslAcceptorCredential>(
      std::make_shared<SslAcceptorCredential>(std::move(*made)));
}

}  // namespace socksify
