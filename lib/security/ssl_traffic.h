// Record protection of TLS 1.2 and 1.3 under given keys (RFC 5246 and 5288, RFC 7905, RFC 8446
// section 5), for sessions that go on in another process: GnuTLS can take its record state out of a
// session but not into one. AEAD ciphers alone. Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_TRAFFIC_H_
#define LIB_SECURITY_SSL_TRAFFIC_H_

#include <gnutls/crypto.h>

#include <memory>

#include "lib/base/secret.h"
#include "lib/security/ssl_records.h"
#include "lib/security/ssl_support.h"

namespace socksify {

using GnutlsAead = GnutlsHandle<gnutls_aead_cipher_hd_t, gnutls_aead_cipher_deinit>;

// What a session has agreed.
struct TrafficSuite {
  bool tls13 = true;
  gnutls_cipher_algorithm_t cipher = GNUTLS_CIPHER_UNKNOWN;
  gnutls_mac_algorithm_t hash = GNUTLS_MAC_UNKNOWN;  // of the key schedule, TLS 1.3

  // An AEAD cipher, and the hash that TLS 1.3 needs?
  bool known() const;
};

// One direction.
struct TrafficKeys {
  Secret key, iv;  // TLS 1.2: iv is the implicit part of the nonce
  Secret secret;   // TLS 1.3: what the next keys come from
  uint64_t sequence = 0;
};

// RFC 8446 section 7.3: the keys of `secret`, with sequence 0. Empty keys on failure.
TrafficKeys KeysOfSecret(const TrafficSuite& suite, const Secret& secret);
Secret NextSecret(const TrafficSuite& suite, const Secret& secret);  // section 7.2

// One direction at work.
class TrafficCipher {
 public:
  // kMalformed: keys of the wrong length.
  Status Set(const TrafficSuite& suite, TrafficKeys keys);
  const TrafficKeys& keys() const { return keys_; }

  // Octets between the record's header and its ciphertext, and behind the ciphertext.
  size_t explicit_nonce() const;
  size_t tag_size() const;

  // Appends one record with `plain` (at most 2^14 octets).
  Status SealRecord(uint8_t type, ByteView plain, Bytes* out);
  // Opens one whole record in place; `type` is set to that of its content.
  Result<ByteSpan> OpenRecord(ByteSpan record, uint8_t* type);

  Status Update();  // TLS 1.3: the next keys

 private:
  Bytes Nonce(ByteView explicit_part) const;

  TrafficSuite suite_;
  TrafficKeys keys_;
  GnutlsAead aead_;
};

struct TrafficState {
  TrafficSuite suite;
  TrafficKeys read, write;
  size_t max_plaintext = kMaxRecordPlaintext;
};
void AppendTrafficState(const TrafficState& state, Bytes* to);
// kMalformed: anything else than what the other has appended.
Result<TrafficState> ReadTrafficState(Cursor* in);

Result<std::unique_ptr<SslRecords>> NewSslTraffic(TrafficState state);

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_TRAFFIC_H_
