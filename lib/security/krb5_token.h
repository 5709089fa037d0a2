// Wrap tokens (RFC 4121 section 4.2), with and without confidentiality:
//
//   header | data | checksum
//   header | E(random block | data | EC octets | header) | HMAC
//
// where the header is 05 04 | flags | FF | EC (2) | RRC (2) | SND_SEQ (8).
//
// What follows the header may be turned right by RRC octets; ours never is. Private to
// security/krb5_*.
#ifndef LIB_SECURITY_KRB5_TOKEN_H_
#define LIB_SECURITY_KRB5_TOKEN_H_

#include <optional>

#include "lib/security/krb5_cipher.h"

namespace socksify {

// What the two ends of a context have agreed on.
struct Krb5Context {
  const Krb5Enctype* enctype;
  Secret key;            // enctype->key_size octets
  bool initiator;        // are we?
  bool acceptor_subkey;  // has the acceptor chosen the key?
  bool ordered;          // is a missing or reordered token an error?
};

// Do the octets begin as one does: TOK_ID 05 04, flags, filler FF, EC, RRC and SND_SEQ?
bool IsWrapToken(ByteView token);

// SND_SEQ of what does.
uint64_t WrapTokenNumber(ByteView token);

// How much longer than its data a token of ours is.
size_t WrapTokenOverhead(const Krb5Enctype& enctype, bool confidential);

// The keys of one direction, each made when a token first needs it. One thread at a time.
class Krb5DirectionKeys {
 public:
  explicit Krb5DirectionKeys(bool from_initiator) : from_initiator_(from_initiator) {}

  // Null: GnuTLS fails.
  MessageCipher* Cipher(const Krb5Context& context);
  MessageChecksum* Checksum(const Krb5Context& context);

 private:
  uint32_t usage() const;

  const bool from_initiator_;
  std::optional<MessageCipher> cipher_;
  std::optional<MessageChecksum> checksum_;
};

class TokenSealer {
 public:
  explicit TokenSealer(const Krb5Context& context) : keys_(context.initiator) {}

  // Appends the token that carries `plain` as number `number`. An error leaves `out` as it was.
  Status Seal(const Krb5Context& context, bool confidential, uint64_t number, ByteView plain,
              Bytes* out);

 private:
  // Append the token: false if GnuTLS fails.
  bool Encrypted(const Krb5Context& context, ByteView header, ByteView plain, Bytes* out);
  bool Summed(const Krb5Context& context, ByteView header, ByteView plain, Bytes* out);

  Krb5DirectionKeys keys_;
};

class TokenOpener {
 public:
  explicit TokenOpener(const Krb5Context& context) : keys_(!context.initiator) {}

  struct Opened {
    ByteSpan plain;  // in the token
    uint64_t number;
    bool confidential;
  };
  // Any octets; kIntegrity unless they are a token of the peer's, whole and unaltered. Nothing is
  // known of its place among others.
  Result<Opened> Open(const Krb5Context& context, ByteSpan token);

  // The same of two tokens at a time, by two objects. False, and nothing is done: not both are of
  // the kind that gains by it.
  struct OpenedTwo {
    Result<Opened> first, second;
  };
  static std::optional<OpenedTwo> OpenTwo(const Krb5Context& context, TokenOpener& one,
                                          ByteSpan first, TokenOpener& other, ByteSpan second);

 private:
  struct Parts {
    uint8_t flags;
    size_t extra;  // EC
    uint64_t number;
    ByteSpan header, body, tag;
  };
  static Result<Parts> Take(const Krb5Context& context, ByteSpan token);
  static Result<Opened> CheckDecrypted(const Parts& parts);
  Result<Opened> OpenSummed(const Krb5Context& context, const Parts& parts);

  Krb5DirectionKeys keys_;
};

}  // namespace socksify

#endif  // LIB_SECURITY_KRB5_TOKEN_H_
