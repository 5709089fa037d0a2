// Certificates for the tests of the SSL method, made by GnuTLS for each run of them.
#ifndef TESTS_UNIT_SSL_PKI_H_
#define TESTS_UNIT_SSL_PKI_H_

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "lib/security/ssl_support.h"
#include "tests/unit/temporary_file.h"

namespace socksify {

// What a certificate is to say.
struct CertificateSpec {
  std::string name;                     // the common name
  std::vector<std::string> hosts = {};  // of subjectAltName: names and addresses
  time_t from = time(nullptr) - 3600;
  time_t until = time(nullptr) + 30 * 86400;
  bool ca = false;
  bool client = false;  // for a TLS client, not a server
};

// A certificate with its key, in one PEM file.
class Identity {
 public:
  // `issuer` null: signed by itself.
  Identity(const TemporaryDirectory& directory, const CertificateSpec& spec,
           const Identity* issuer = nullptr) {
    gnutls_x509_privkey_init(&key_);
    gnutls_x509_privkey_generate(key_, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_t crt = certificate_;
    gnutls_x509_crt_init(&crt);
    certificate_ = crt;
    static unsigned serial = 0;
    const unsigned char number[] = {1, static_cast<unsigned char>(++serial >> 8),
                                    static_cast<unsigned char>(serial)};
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, number, sizeof number);
    gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, spec.name.data(),
                                  static_cast<unsigned>(spec.name.size()));
    gnutls_x509_crt_set_activation_time(crt, spec.from);
    gnutls_x509_crt_set_expiration_time(crt, spec.until);
    gnutls_x509_crt_set_key(crt, key_);
    gnutls_x509_crt_set_basic_constraints(crt, spec.ca ? 1 : 0, -1);
    gnutls_x509_crt_set_key_usage(crt, spec.ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
                                               : GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (!spec.ca) {
      gnutls_x509_crt_set_key_purpose_oid(
          crt, spec.client ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0);
    }
    for (const std::string& host : spec.hosts) {
      unsigned char address[16];
      if (inet_pton(AF_INET, host.c_str(), address) == 1) {
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 4,
                                             GNUTLS_FSAN_APPEND);
      } else {
        gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host.data(),
                                             static_cast<unsigned>(host.size()),
                                             GNUTLS_FSAN_APPEND);
      }
    }
    const Identity& signer = issuer == nullptr ? *this : *issuer;
    EXPECT_EQ(gnutls_x509_crt_sign2(crt, signer.certificate_, signer.key_, GNUTLS_DIG_SHA256, 0),
              0);
    GnutlsDatum key, own;
    EXPECT_EQ(gnutls_x509_privkey_export2(key_, GNUTLS_X509_FMT_PEM, key.get()), 0);
    EXPECT_EQ(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, own.get()), 0);
    file_ = directory.Write("identity-" + std::to_string(serial) + ".pem",
                            std::string(AsText(own.octets())) + std::string(AsText(key.octets())));
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  ~Identity() {
    gnutls_x509_crt_deinit(certificate_);
    gnutls_x509_privkey_deinit(key_);
  }

  const std::string& file() const { return file_; }

 private:
  gnutls_x509_privkey_t key_ = nullptr;
  gnutls_x509_crt_t certificate_ = nullptr;
  std::string file_;
};

// Who is needed in most tests: an authority, a server "localhost", a client "alice".
struct Pki {
  TemporaryDirectory directory;
  Identity ca{directory, {.name = "Test CA", .ca = true}};
  Identity server{directory,
                  {.name = "socks server", .hosts = {"localhost", "proxy.example", "127.0.0.1"}},
                  &ca};
  Identity client{directory, {.name = "alice", .client = true}, &ca};
};

inline const Pki& TestPki() {
  static const Pki pki;
  return pki;
}

}  // namespace socksify

#endif  // TESTS_UNIT_SSL_PKI_H_
