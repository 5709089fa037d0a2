// The encryption types of Kerberos that messages are protected with here, without the Kerberos
// library: AES with HMAC-SHA1 (RFC 3962) and with HMAC-SHA2 (RFC 8009); and how the keys for one
// use come from the key of a session. Private to security/krb5_*.
#ifndef LIB_SECURITY_KRB5_ENCTYPE_H_
#define LIB_SECURITY_KRB5_ENCTYPE_H_

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace socksify {

struct Krb5Enctype {
  int number;  // of the IANA registry
  gnutls_cipher_algorithm_t cipher;
  gnutls_mac_algorithm_t mac;
  size_t key_size;      // of a session's key and of Ke
  size_t mac_key_size;  // of Ki and Kc
  size_t tag_size;      // to which the HMAC is cut
  bool sha2;            // RFC 8009: keys by KDF-HMAC-SHA2, and the HMAC is of the ciphertext
};

// Null: one that is left to the library.
const Krb5Enctype* FindKrb5Enctype(int number);

// RFC 3961 section 5.1: `in`, turned and added up until it fills `out`. Both at least one octet.
void NFold(ByteView in, ByteSpan out);

// RFC 3961 section 5.1: DK(base, constant), as large as `base`. For an enctype of RFC 3962.
Result<Secret> DeriveKeyByEncryption(const Krb5Enctype& enctype, ByteView base, ByteView constant);

enum class KeyPurpose : uint8_t { kChecksum = 0x99, kEncryption = 0xaa, kIntegrity = 0x55 };

// Kc, Ke or Ki for one key usage number (RFC 3961 section 5.3, RFC 8009 section 5). `base` has
// key_size octets.
Result<Secret> DeriveKey(const Krb5Enctype& enctype, ByteView base, uint32_t usage,
                         KeyPurpose purpose);

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_ENCTYPE_H_
