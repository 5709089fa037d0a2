#include "lib/security/krb5_primitives.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace socksify {
namespace {

constexpr uint8_t kZeroes[kAesBlockSize] = {};

}  // namespace

Result<AesCts> AesCts::New(gnutls_cipher_algorithm_t cipher, ByteView key) {
  const gnutls_datum_t key_datum = {const_cast<uint8_t*>(key.data()),
                                    static_cast<unsigned>(key.size())};
  const gnutls_datum_t vector = {const_cast<uint8_t*>(kZeroes), sizeof kZeroes};
  gnutls_cipher_hd_t handle = nullptr;
  if (gnutls_cipher_init(&handle, cipher, &key_datum, &vector) != 0) return CryptoError();
  return AesCts(Handle(handle));
}

void AesCts::Start() { Chain(kZeroes); }

// GnuTLS copies the vector, though its prototype does not say so.
void AesCts::Chain(ByteView previous) {
  gnutls_cipher_set_iv(handle_.get(), const_cast<uint8_t*>(previous.data()), kAesBlockSize);
}

bool AesCts::EncryptBlocks(ByteSpan blocks) {
  return gnutls_cipher_encrypt2(handle_.get(), blocks.data(), blocks.size(), blocks.data(),
                                blocks.size()) == 0;
}

bool AesCts::EncryptTail(ByteSpan tail) {
  const size_t rest = tail.size() - kAesBlockSize;
  uint8_t last[kAesBlockSize] = {};
  memcpy(last, tail.data() + kAesBlockSize, rest);
  if (!EncryptBlocks(tail.first(kAesBlockSize)) || !EncryptBlocks(last)) return false;
  memcpy(tail.data() + kAesBlockSize, tail.data(), rest);
  memcpy(tail.data(), last, sizeof last);
  return true;
}

bool AesCts::DecryptChained(ByteView previous, ByteSpan blocks) {
  Chain(previous);
  return gnutls_cipher_decrypt2(handle_.get(), blocks.data(), blocks.size(), blocks.data(),
                                blocks.size()) == 0;
}

// The tail first, while the ciphertext before it is still there to be chained with.
bool AesCts::Decrypt(ByteSpan message) {
  const size_t head_size = message.size() - TailSize(message.size());
  const ByteSpan head = message.first(head_size), tail = message.subspan(head_size);
  const ByteSpan rest = tail.subspan(kAesBlockSize);
  const ByteView previous = head.empty() ? ByteView(kZeroes) : ByteView(head).last(kAesBlockSize);

  uint8_t last[kAesBlockSize];  // the last block but for the chaining with the one before it
  memcpy(last, tail.data(), sizeof last);
  if (!DecryptChained(kZeroes, last)) return false;
  uint8_t stolen[kAesBlockSize];  // the one before it: what was sent, and what was not
  memcpy(stolen, rest.data(), rest.size());
  memcpy(stolen + rest.size(), last + rest.size(), sizeof stolen - rest.size());
  for (size_t i = 0; i < rest.size(); i++) rest[i] ^= last[i];
  memcpy(tail.data(), stolen, sizeof stolen);
  return DecryptChained(previous, tail.first(kAesBlockSize)) &&
         (head.empty() || DecryptChained(kZeroes, head));
}

Result<Hmac> Hmac::New(gnutls_mac_algorithm_t mac, ByteView key) {
  gnutls_hmac_hd_t handle = nullptr;
  if (gnutls_hmac_init(&handle, mac, key.data(), key.size()) != 0) return CryptoError();
  return Hmac(Handle(handle));
}

}  // namespace socksify
