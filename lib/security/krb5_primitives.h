// AES in CBC mode with ciphertext stealing (RFC 3962 section 5), and HMAC, on GnuTLS's primitives.
// Each object keeps its key's schedule for all messages, and serves one thread at a time. Private
// to security/krb5_*.
#ifndef LIB_SECURITY_KRB5_PRIMITIVES_H_
#define LIB_SECURITY_KRB5_PRIMITIVES_H_

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include <memory>
#include <type_traits>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/security/library_gate.h"

namespace socksify {

inline constexpr size_t kAesBlockSize = 16;
inline constexpr size_t kMaxAesKeySize = 32;
inline constexpr size_t kMaxHmacSize = 48;  // SHA-384

// What GnuTLS has refused to do with a good key and a good length: it is unusable here.
inline Status CryptoError() { return {Errc::kUnsupported, "GnuTLS cannot do AES or HMAC"}; }

// The initial vector is zero, as Kerberos has it: a message begins with a random block instead.
// They return false when GnuTLS fails.
class AesCts {
 public:
  static Result<AesCts> New(gnutls_cipher_algorithm_t cipher, ByteView key);

  // A message is encrypted from its start, in as many steps as one likes: whole blocks up to
  // TailSize() before its end, then the tail.
  void Start();
  bool EncryptBlocks(ByteSpan blocks);
  bool EncryptTail(ByteSpan tail);

  // Of a message of `size` octets, more than one block: the last block, whole or not, and the one
  // before it. These two change places.
  static size_t TailSize(size_t size) { return kAesBlockSize + (size - 1) % kAesBlockSize + 1; }

  bool Decrypt(ByteSpan message);  // more than one block

 private:
  struct Release {
    void operator()(gnutls_cipher_hd_t handle) const {
      const LibraryGate gate;
      gnutls_cipher_deinit(handle);
    }
  };
  using Handle = std::unique_ptr<std::remove_pointer_t<gnutls_cipher_hd_t>, Release>;

  explicit AesCts(Handle handle) : handle_(std::move(handle)) {}
  void Chain(ByteView previous);
  bool DecryptChained(ByteView previous, ByteSpan blocks);

  Handle handle_;
};

class Hmac {
 public:
  static Result<Hmac> New(gnutls_mac_algorithm_t mac, ByteView key);

  bool Add(ByteView octets) {
    return octets.empty() || gnutls_hmac(handle_.get(), octets.data(), octets.size()) == 0;
  }
  // The HMAC of all that was added since the last Finish(), into kMaxHmacSize octets or fewer.
  void Finish(uint8_t* hmac) { gnutls_hmac_output(handle_.get(), hmac); }

 private:
  struct Release {
    void operator()(gnutls_hmac_hd_t handle) const {
      const LibraryGate gate;
      gnutls_hmac_deinit(handle, nullptr);
    }
  };
  using Handle = std::unique_ptr<std::remove_pointer_t<gnutls_hmac_hd_t>, Release>;

  explicit Hmac(Handle handle) : handle_(std::move(handle)) {}

  Handle handle_;
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_PRIMITIVES_H_
