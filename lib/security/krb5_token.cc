#include "lib/security/krb5_token.h"

#include <algorithm>
#include <cstring>

namespace socksify {
namespace {

constexpr size_t kHeaderSize = 16;
constexpr uint8_t kTokenId[] = {0x05, 0x04};
constexpr uint8_t kFiller = 0xff;

// Octet 2, section 4.2.2.
constexpr uint8_t kSentByAcceptor = 0x01;
constexpr uint8_t kSealed = 0x02;
constexpr uint8_t kAcceptorSubkey = 0x04;

// Where the header's fields are.
constexpr size_t kFlagsAt = 2, kFillerAt = 3, kExtraCountAt = 4, kRotationAt = 6, kNumberAt = 8;

// Key usage numbers, section 2.
constexpr uint32_t kAcceptorSeal = 22, kInitiatorSeal = 24;

uint16_t LoadU16(ByteView at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

void StoreU16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

size_t Rotation(ByteView token) { return LoadU16(token.subspan(kRotationAt, 2)); }

void WriteHeader(uint8_t* at, uint8_t flags, uint64_t number) {
  memcpy(at, kTokenId, sizeof kTokenId);
  at[kFlagsAt] = flags;
  at[kFillerAt] = kFiller;
  StoreU16(at + kExtraCountAt, 0);
  StoreU16(at + kRotationAt, 0);
  for (size_t i = kHeaderSize; i-- > kNumberAt; number >>= 8) at[i] = static_cast<uint8_t>(number);
}

// Appends `octets`, and shows each piece of the copy to `look` while it is in the cache. libc
// copies more at once by an instruction that takes AMD's Zen 3 and 4 ten times as long where both
// addresses are much the same within their pages.
template <typename Look>
void AppendInPieces(Bytes& to, ByteView octets, Look look) {
  constexpr size_t kPiece = 1024;
  while (!octets.empty()) {
    const size_t size = std::min(octets.size(), kPiece);
    Append(to, octets.first(size));
    look(ByteView(to).last(size));
    octets = octets.subspan(size);
  }
}

Status NoToken(const char* why) {
  return {Errc::kIntegrity, std::string("a message of the peer ") + why};
}

Status Altered() { return NoToken("fails its check"); }

}  // namespace

bool IsWrapToken(ByteView token) {
  return token.size() >= kHeaderSize && memcmp(token.data(), kTokenId, sizeof kTokenId) == 0 &&
         token[kFillerAt] == kFiller;
}

uint64_t WrapTokenNumber(ByteView token) {
  uint64_t number = 0;
  for (uint8_t octet : token.subspan(kNumberAt, sizeof number)) number = number << 8 | octet;
  return number;
}

size_t WrapTokenOverhead(const Krb5Enctype& enctype, bool confidential) {
  return kHeaderSize + (confidential ? kAesBlockSize + kHeaderSize : 0) + enctype.tag_size;
}

uint32_t Krb5DirectionKeys::usage() const {
  return from_initiator_ ? kInitiatorSeal : kAcceptorSeal;
}

MessageCipher* Krb5DirectionKeys::Cipher(const Krb5Context& context) {
  if (!cipher_) {
    auto cipher = MessageCipher::New(*context.enctype, context.key.octets(), usage());
    if (!cipher.ok()) return nullptr;
    cipher_ = std::move(*cipher);
  }
  return &*cipher_;
}

MessageChecksum* Krb5DirectionKeys::Checksum(const Krb5Context& context) {
  if (!checksum_) {
    auto checksum = MessageChecksum::New(*context.enctype, context.key.octets(), usage());
    if (!checksum.ok()) return nullptr;
    checksum_ = std::move(*checksum);
  }
  return &*checksum_;
}

Status TokenSealer::Seal(const Krb5Context& context, bool confidential, uint64_t number,
                         ByteView plain, Bytes* out) {
  const size_t start = out->size();
  const size_t size = plain.size() + WrapTokenOverhead(*context.enctype, confidential);
  // What is appended is not written over zeroes, and the buffer grows but once.
  if (out->capacity() < start + size) out->reserve(std::max(start + size, 2 * out->capacity()));
  uint8_t header[kHeaderSize];
  WriteHeader(header,
              static_cast<uint8_t>((context.initiator ? 0 : kSentByAcceptor) |
                                   (confidential ? kSealed : 0) |
                                   (context.acceptor_subkey ? kAcceptorSubkey : 0)),
              number);
  if (confidential ? Encrypted(context, header, plain, out) : Summed(context, header, plain, out)) {
    return {};
  }
  Wipe({out->data() + start, out->size() - start});  // it may hold plaintext
  out->resize(start);
  return CryptoError();
}

bool TokenSealer::Encrypted(const Krb5Context& context, ByteView header, ByteView plain,
                            Bytes* out) {
  Append(*out, header);
  const size_t start = out->size();
  out->resize(start + kAesBlockSize);
  AppendInPieces(*out, plain, [](ByteView) {});
  Append(*out, header);
  const size_t end = out->size();
  out->resize(end + context.enctype->tag_size);
  MessageCipher* cipher = keys_.Cipher(context);
  return cipher != nullptr &&
         gnutls_rnd(GNUTLS_RND_NONCE, out->data() + start, kAesBlockSize) == 0 &&
         cipher->Encrypt({out->data() + start, end - start}, out->data() + end);
}

bool TokenSealer::Summed(const Krb5Context& context, ByteView header, ByteView plain, Bytes* out) {
  MessageChecksum* checksum = keys_.Checksum(context);
  if (checksum == nullptr) return false;
  const size_t start = out->size();
  Append(*out, header);
  // It is the copy that is summed: the application may write to its own octets meanwhile.
  AppendInPieces(*out, plain, [&](ByteView copy) { checksum->Add(copy); });
  checksum->Add(header);  // EC is zero in what is summed
  StoreU16(out->data() + start + kExtraCountAt, context.enctype->tag_size);
  out->resize(out->size() + context.enctype->tag_size);
  return checksum->Make(out->data() + out->size() - context.enctype->tag_size);
}

// The octets behind the header are turned back.
Result<TokenOpener::Parts> TokenOpener::Take(const Krb5Context& context, ByteSpan token) {
  const size_t tag_size = context.enctype->tag_size;
  if (!IsWrapToken(token)) return NoToken("is no wrap token of RFC 4121");
  const uint8_t flags = token[kFlagsAt];
  if (((flags & kSentByAcceptor) != 0) != context.initiator) {
    return NoToken("is one of our own");
  }
  if (((flags & kAcceptorSubkey) != 0) != context.acceptor_subkey) {
    return NoToken("is protected with another key");
  }
  if (token.size() < WrapTokenOverhead(*context.enctype, (flags & kSealed) != 0))
    return NoToken("is too short");

  const ByteSpan header = token.first(kHeaderSize), rest = token.subspan(kHeaderSize);
  if (const size_t rotation = Rotation(header) % rest.size(); rotation != 0) {
    std::rotate(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(rotation), rest.end());
  }
  return Parts{flags,  LoadU16(header.subspan(kExtraCountAt, 2)), WrapTokenNumber(header),
               header, rest.first(rest.size() - tag_size),        rest.last(tag_size)};
}

Result<TokenOpener::Opened> TokenOpener::Open(const Krb5Context& context, ByteSpan token) {
  auto parts = Take(context, token);
  if (!parts.ok()) return parts.status();
  if ((parts->flags & kSealed) == 0) return OpenSummed(context, *parts);
  MessageCipher* cipher = keys_.Cipher(context);
  if (cipher == nullptr) return CryptoError();
  if (!cipher->Decrypt(parts->body, parts->tag)) return Altered();
  return CheckDecrypted(*parts);
}

std::optional<TokenOpener::OpenedTwo> TokenOpener::OpenTwo(const Krb5Context& context,
                                                           TokenOpener& one, ByteSpan first,
                                                           TokenOpener& other, ByteSpan second) {
  for (const ByteSpan token : {first, second}) {
    if (!IsWrapToken(token) || (token[kFlagsAt] & kSealed) == 0 || Rotation(token) != 0) return {};
  }
  const auto parts = Take(context, first), others = Take(context, second);
  MessageCipher *const cipher = one.keys_.Cipher(context), *const another =
                                                               other.keys_.Cipher(context);
  if (!parts.ok() || !others.ok() || cipher == nullptr || another == nullptr) return {};
  const MessageCipher::Good good = MessageCipher::DecryptTwo(*cipher, {parts->body, parts->tag},
                                                             *another, {others->body, others->tag});
  return OpenedTwo{good.first ? CheckDecrypted(*parts) : Altered(),
                   good.second ? CheckDecrypted(*others) : Altered()};
}

// EC is the size of the checksum; in what is summed, EC and RRC are zero.
Result<TokenOpener::Opened> TokenOpener::OpenSummed(const Krb5Context& context,
                                                    const Parts& parts) {
  if (parts.extra != parts.tag.size()) return Altered();
  uint8_t summed[kHeaderSize];
  WriteHeader(summed, parts.flags, parts.number);
  MessageChecksum* checksum = keys_.Checksum(context);
  if (checksum == nullptr) return CryptoError();
  checksum->Add(parts.body);
  checksum->Add(summed);
  if (!checksum->Verify(parts.tag)) return Altered();
  return Opened{parts.body, parts.number, false};
}

// The header in clear is the one that was encrypted, but for RRC.
Result<TokenOpener::Opened> TokenOpener::CheckDecrypted(const Parts& parts) {
  const ByteView header = parts.header, inner = parts.body.last(kHeaderSize);
  if (memcmp(inner.data(), header.data(), kRotationAt) != 0 ||
      memcmp(inner.data() + kNumberAt, header.data() + kNumberAt, kHeaderSize - kNumberAt) != 0) {
    return Altered();
  }
  const size_t room = parts.body.size() - kAesBlockSize - kHeaderSize;
  if (parts.extra > room) return Altered();
  return Opened{parts.body.subspan(kAesBlockSize, room - parts.extra), parts.number, true};
}

}  // namespace socksify
