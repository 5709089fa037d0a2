// What Kerberos does to one message, in place: encryption with integrity, and checksums (RFC 3962
// section 6, RFC 8009 section 5). Each object has the keys of one key usage and serves one thread
// at a time. Private to security/krb5_*.
#ifndef LIB_SECURITY_KRB5_CIPHER_H_
#define LIB_SECURITY_KRB5_CIPHER_H_

#include "lib/security/krb5_enctype.h"
#include "lib/security/krb5_primitives.h"

namespace socksify {

class MessageCipher {
 public:
  // `base`: the key of the session.
  static Result<MessageCipher> New(const Krb5Enctype& enctype, ByteView base, uint32_t usage);

  // `text` begins with a random block and is longer than that. Writes tag_size octets to `tag`.
  // False: GnuTLS fails.
  bool Encrypt(ByteSpan text, uint8_t* tag);

  // The same `text` again if the tag is that of this ciphertext, which is longer than a block.
  // False otherwise, with anything in `text`.
  bool Decrypt(ByteSpan text, ByteView tag);

  // The same of two messages at a time, by two objects, which is faster than one after the other.
  struct Sealed {
    ByteSpan text;
    ByteView tag;
  };
  struct Good {
    bool first, second;
  };
  static Good DecryptTwo(MessageCipher& one, Sealed first, MessageCipher& other, Sealed second);

 private:
  MessageCipher(const Krb5Enctype& enctype, AesCts cipher, Hmac hmac)
      : enctype_(&enctype), cipher_(std::move(cipher)), hmac_(std::move(hmac)) {}

  // What the HMAC is of comes first or last in decrypting.
  bool BeginDecrypt(ByteSpan text) { return enctype_->sha2 || cipher_.Decrypt(text); }
  bool EndDecrypt(ByteSpan text) { return !enctype_->sha2 || cipher_.Decrypt(text); }
  ByteView Prefix() const;  // of what the HMAC is of

  const Krb5Enctype* enctype_;
  AesCts cipher_;
  Hmac hmac_;
};

class MessageChecksum {
 public:
  static Result<MessageChecksum> New(const Krb5Enctype& enctype, ByteView base, uint32_t usage);

  void Add(ByteView text) { good_ = hmac_.Add(text) && good_; }

  // Of all that was added since the last of these. False: GnuTLS fails; or the tag is another.
  bool Make(uint8_t* tag);
  bool Verify(ByteView tag);

 private:
  MessageChecksum(const Krb5Enctype& enctype, Hmac hmac)
      : enctype_(&enctype), hmac_(std::move(hmac)) {}

  const Krb5Enctype* enctype_;
  Hmac hmac_;
  bool good_ = true;  // so far
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_CIPHER_H_
