#include "lib/security/krb5_enctype.h"

#include <algorithm>
#include <numeric>

#include "lib/security/krb5_primitives.h"

namespace socksify {
namespace {

constexpr Krb5Enctype kEnctypes[] = {
    {17, GNUTLS_CIPHER_AES_128_CBC, GNUTLS_MAC_SHA1, 16, 16, 12, false},
    {18, GNUTLS_CIPHER_AES_256_CBC, GNUTLS_MAC_SHA1, 32, 32, 12, false},
    {19, GNUTLS_CIPHER_AES_128_CBC, GNUTLS_MAC_SHA256, 16, 16, 16, true},
    {20, GNUTLS_CIPHER_AES_256_CBC, GNUTLS_MAC_SHA384, 32, 24, 24, true},
};

constexpr size_t kConstantSize = 5;  // the key usage number and the purpose

// RFC 8009 section 3: K1 = HMAC(key, 00000001 | label | 00 | k), cut to k bits.
Result<Secret> DeriveKeyByHmac(const Krb5Enctype& enctype, ByteView base, ByteView label,
                               size_t size) {
  Bytes input = {0, 0, 0, 1};
  Append(input, label);
  input.push_back(0);
  AppendU16(input, 0);
  AppendU16(input, static_cast<uint16_t>(size * 8));
  uint8_t whole[kMaxHmacSize];
  if (gnutls_hmac_fast(enctype.mac, base.data(), base.size(), input.data(), input.size(), whole) !=
      0) {
    return CryptoError();
  }
  Secret key(AsText(ByteView(whole).first(size)));
  Wipe(whole);
  return key;
}

}  // namespace

const Krb5Enctype* FindKrb5Enctype(int number) {
  for (const Krb5Enctype& enctype : kEnctypes) {
    if (enctype.number == number) return &enctype;
  }
  return nullptr;
}

// Copies of `in`, each turned right by 13 bits more than the one before it, are laid out to a
// length that is a multiple of both sizes; its parts of the size of `out` are added up in one's
// complement.
void NFold(ByteView in, ByteSpan out) {
  std::ranges::fill(out, uint8_t{0});
  const size_t bits = in.size() * 8;
  const size_t total = std::lcm(in.size(), out.size());
  unsigned carry = 0;
  auto add = [&](size_t at, unsigned octet) {
    carry += out[at] + octet;
    out[at] = static_cast<uint8_t>(carry);
    carry >>= 8;
  };
  for (size_t i = total; i-- > 0;) {
    const size_t turned = 13 * (i / in.size()) % bits;
    const size_t bit = (i % in.size() * 8 + bits - turned) % bits;  // where the octet begins
    const unsigned pair = in[bit / 8] << 8 | in[(bit / 8 + 1) % in.size()];
    add(i % out.size(), pair >> (8 - bit % 8) & 0xff);
  }
  while (carry != 0) {  // the carry out of the first octet goes into the last
    for (size_t at = out.size(); at-- > 0;) add(at, 0);
  }
}

Result<Secret> DeriveKeyByEncryption(const Krb5Enctype& enctype, ByteView base, ByteView constant) {
  auto cipher = AesCts::New(enctype.cipher, base);
  if (!cipher.ok()) return cipher.status();
  uint8_t block[kAesBlockSize];
  NFold(constant, block);
  uint8_t octets[kMaxAesKeySize];
  bool done = true;
  for (size_t at = 0; at < base.size(); at += kAesBlockSize) {
    cipher->Start();
    done = done && cipher->EncryptBlocks(block);
    std::ranges::copy(block, octets + at);
  }
  Secret key(AsText(ByteView(octets).first(base.size())));
  Wipe(block);
  Wipe(octets);
  return done ? Result<Secret>(std::move(key)) : CryptoError();
}

Result<Secret> DeriveKey(const Krb5Enctype& enctype, ByteView base, uint32_t usage,
                         KeyPurpose purpose) {
  const uint8_t constant[kConstantSize] = {
      static_cast<uint8_t>(usage >> 24), static_cast<uint8_t>(usage >> 16),
      static_cast<uint8_t>(usage >> 8), static_cast<uint8_t>(usage), static_cast<uint8_t>(purpose)};
  if (!enctype.sha2) return DeriveKeyByEncryption(enctype, base, constant);
  return DeriveKeyByHmac(
      enctype, base, constant,
      purpose == KeyPurpose::kEncryption ? enctype.key_size : enctype.mac_key_size);
}

}  // namespace socksify
