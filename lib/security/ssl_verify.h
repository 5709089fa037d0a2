// Certificates of the peer: whether they are good, what is wrong with which, and what they say.
// Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_VERIFY_H_
#define LIB_SECURITY_SSL_VERIFY_H_

#include <string>
#include <vector>

#include "lib/security/ssl_support.h"

namespace socksify {

struct CertificateVerdict {
  Status status;
  gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;  // tells the peer, if not ok()
};

// The server's must name `name` (a DNS name or an address). `trusted` is for the message.
CertificateVerdict VerifyServerCertificate(gnutls_session_t session, const std::string& name,
                                           const std::string& trusted);
CertificateVerdict VerifyClientCertificate(gnutls_session_t session);

bool IsIpAddress(const std::string& name);

// The peer's own certificate first: "CN=proxy.example.com; issued by CN=Example CA; until
// 2027-01-31". Empty without one.
std::vector<std::string> DescribeCertificates(gnutls_session_t session);
std::string PeerSubject(gnutls_session_t session);  // "CN=alice,O=Example"; or its first name

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_VERIFY_H_
