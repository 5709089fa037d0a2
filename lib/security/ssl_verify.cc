#include "lib/security/ssl_verify.h"

#include <arpa/inet.h>

#include <ctime>

namespace socksify {
namespace {

std::vector<GnutlsCertificate> PeerCertificates(gnutls_session_t session) {
  std::vector<GnutlsCertificate> chain;
  unsigned count = 0;
  const gnutls_datum_t* der = gnutls_certificate_get_peers(session, &count);
  for (unsigned i = 0; der != nullptr && i < count; i++) {
    GnutlsCertificate certificate;
    if (gnutls_x509_crt_init(certificate.address()) < 0 ||
        gnutls_x509_crt_import(certificate.get(), &der[i], GNUTLS_X509_FMT_DER) < 0) {
      break;
    }
    chain.push_back(std::move(certificate));
  }
  return chain;
}

// The names of the certificate's subjectAltName that a server can be called by: "a.example,
// 192.0.2.1".
std::string AlternativeNames(gnutls_x509_crt_t certificate) {
  std::string names;
  for (unsigned i = 0;; i++) {
    char octets[256];
    size_t size = sizeof octets;
    const int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, octets, &size, nullptr);
    if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) continue;
    if (type < 0) return names;
    char address[INET6_ADDRSTRLEN];
    std::string name;
    if (type == GNUTLS_SAN_DNSNAME) name.assign(octets, size);
    if (type == GNUTLS_SAN_IPADDRESS && (size == 4 || size == 16) &&
        inet_ntop(size == 4 ? AF_INET : AF_INET6, octets, address, sizeof address) != nullptr) {
      name = address;
    }
    if (!name.empty()) names += (names.empty() ? "" : ", ") + name;
  }
}

std::string SubjectOf(gnutls_x509_crt_t certificate) {
  GnutlsDatum text;
  if (gnutls_x509_crt_get_dn3(certificate, text.get(), 0) >= 0 && !text.octets().empty()) {
    return std::string(AsText(text.octets()));
  }
  return AlternativeNames(certificate);
}

std::string IssuerOf(gnutls_x509_crt_t certificate) {
  GnutlsDatum text;
  if (gnutls_x509_crt_get_issuer_dn3(certificate, text.get(), 0) < 0) return {};
  return std::string(AsText(text.octets()));
}

std::string Date(time_t time, const char* format) {
  tm parts;
  char text[32];
  if (gmtime_r(&time, &parts) == nullptr || strftime(text, sizeof text, format, &parts) == 0) {
    return "an unknown date";
  }
  return text;
}

std::string Moment(time_t time) { return Date(time, "%Y-%m-%d %H:%M UTC"); }

// What is wrong, with which certificate of `chain`; `status` is what GnuTLS found.
CertificateVerdict Judge(unsigned status, const std::vector<GnutlsCertificate>& chain,
                         const std::string& whose, const std::string& name,
                         const std::string& trusted) {
  auto refuse = [](gnutls_alert_description_t alert, std::string message) {
    return CertificateVerdict{{Errc::kAuthentication, std::move(message)}, alert};
  };
  const time_t now = time(nullptr);
  for (const GnutlsCertificate& certificate : chain) {
    const std::string which = "the certificate '" + SubjectOf(certificate.get()) + "' of " + whose;
    const time_t until = gnutls_x509_crt_get_expiration_time(certificate.get());
    const time_t from = gnutls_x509_crt_get_activation_time(certificate.get());
    if ((status & GNUTLS_CERT_EXPIRED) != 0 && until < now) {
      return refuse(GNUTLS_A_CERTIFICATE_EXPIRED, which + " expired on " + Moment(until));
    }
    if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0 && from > now) {
      return refuse(GNUTLS_A_CERTIFICATE_EXPIRED,
                    which + " is not valid before " + Moment(from) + " (is the clock right?)");
    }
  }
  const std::string own = "the certificate '" + SubjectOf(chain.front().get()) + "' of " + whose;
  if ((status & GNUTLS_CERT_REVOKED) != 0) {
    return refuse(GNUTLS_A_CERTIFICATE_REVOKED, own + " has been revoked");
  }
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0) {
    return refuse(GNUTLS_A_BAD_CERTIFICATE, own + " is signed with an insecure algorithm");
  }
  if ((status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) != 0) {
    const std::string issuer = IssuerOf(chain.back().get());
    return refuse(GNUTLS_A_UNKNOWN_CA, own + " is from an unknown issuer, '" + issuer +
                                           "', which is not among " + trusted +
                                           (name.empty() ? "" : "; if you trust it, see --tls-ca"));
  }
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) {
    const std::string has = AlternativeNames(chain.front().get());
    return refuse(GNUTLS_A_BAD_CERTIFICATE, own + " has the wrong name: it is for " +
                                                (has.empty() ? "no server" : has) + ", not for " +
                                                name + "; see --server and --tls-name");
  }
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0) {
    return refuse(GNUTLS_A_UNSUPPORTED_CERTIFICATE, own + " is for another purpose");
  }
  GnutlsDatum text;
  std::string what = "is not valid";
  if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, text.get(), 0) >= 0) {
    what = "is refused: " + std::string(AsText(text.octets()));
  }
  return refuse(GNUTLS_A_BAD_CERTIFICATE, own + " " + what);
}

CertificateVerdict Verify(gnutls_session_t session, const std::string& whose,
                          const std::string& name, const std::string& trusted) {
  const bool server = !name.empty();
  gnutls_typed_vdata_st data[2] = {};
  data[0].type = GNUTLS_DT_KEY_PURPOSE_OID;
  data[0].data = reinterpret_cast<unsigned char*>(
      const_cast<char*>(server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT));
  unsigned char address[sizeof(in6_addr)];
  if (server) {
    const bool v4 = inet_pton(AF_INET, name.c_str(), address) == 1;
    const bool v6 = !v4 && inet_pton(AF_INET6, name.c_str(), address) == 1;
    data[1].type = v4 || v6 ? GNUTLS_DT_IP_ADDRESS : GNUTLS_DT_DNS_HOSTNAME;
    data[1].data =
        v4 || v6 ? address : reinterpret_cast<unsigned char*>(const_cast<char*>(name.c_str()));
    data[1].size = v4 ? 4 : v6 ? 16 : 0;
  }
  unsigned status = 0;
  const int error = gnutls_certificate_verify_peers(session, data, server ? 2 : 1, &status);
  if (error < 0) {
    return {GnutlsError(Errc::kAuthentication, "cannot check the certificate of " + whose, error)};
  }
  if (status == 0) return {};
  const std::vector<GnutlsCertificate> chain = PeerCertificates(session);
  if (chain.empty()) return {{Errc::kAuthentication, whose + " shows no certificate"}};
  return Judge(status, chain, whose, name, trusted);
}

}  // namespace

CertificateVerdict VerifyServerCertificate(gnutls_session_t session, const std::string& name,
                                           const std::string& trusted) {
  return Verify(session, "the server", name, trusted);
}

CertificateVerdict VerifyClientCertificate(gnutls_session_t session) {
  return Verify(session, "the client", {}, "the trusted ones");
}

bool IsIpAddress(const std::string& name) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), address) == 1 ||
         inet_pton(AF_INET6, name.c_str(), address) == 1;
}

std::vector<std::string> DescribeCertificates(gnutls_session_t session) {
  std::vector<std::string> texts;
  for (const GnutlsCertificate& certificate : PeerCertificates(session)) {
    const time_t until = gnutls_x509_crt_get_expiration_time(certificate.get());
    texts.push_back(SubjectOf(certificate.get()) + "; issued by " + IssuerOf(certificate.get()) +
                    "; until " + Date(until, "%Y-%m-%d"));
  }
  return texts;
}

std::string PeerSubject(gnutls_session_t session) {
  const std::vector<GnutlsCertificate> chain = PeerCertificates(session);
  return chain.empty() ? std::string() : SubjectOf(chain.front().get());
}

}  // namespace socksify
