#include "lib/security/ssl_traffic.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace socksify {
namespace {

constexpr size_t kNonceSize = 12;
constexpr size_t kExplicitSize = 8;
constexpr size_t kSequenceSize = 8;

bool IsChacha(gnutls_cipher_algorithm_t cipher) {
  return cipher == GNUTLS_CIPHER_CHACHA20_POLY1305;
}

void AppendU64(Bytes* to, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) to->push_back(static_cast<uint8_t>(value >> shift));
}

uint64_t ReadU64(Cursor* in) {
  uint64_t value = 0;
  for (size_t i = 0; i < kSequenceSize; i++) value = value << 8 | in->U8();
  return value;
}

// RFC 8446 section 7.1, with an empty context.
Secret ExpandLabel(const TrafficSuite& suite, const Secret& secret, std::string_view label,
                   size_t length) {
  Bytes info;
  AppendU16(info, static_cast<uint16_t>(length));
  info.push_back(static_cast<uint8_t>(6 + label.size()));
  Append(info, AsBytes("tls13 "));
  Append(info, AsBytes(label));
  info.push_back(0);
  const gnutls_datum_t key = GnutlsInput(secret.octets()), context = GnutlsInput(info);
  Bytes expanded(length);
  if (gnutls_hkdf_expand(suite.hash, &key, &context, expanded.data(), length) < 0) return {};
  Secret result(AsText(expanded));
  Wipe(expanded);
  return result;
}

void AppendSecret(const Secret& secret, Bytes* to) {
  to->push_back(static_cast<uint8_t>(secret.octets().size()));
  Append(*to, secret.octets());
}

Secret ReadSecret(Cursor* in) { return Secret(AsText(in->Take(in->U8()))); }

}  // namespace

bool TrafficSuite::known() const {
  switch (cipher) {
    case GNUTLS_CIPHER_AES_128_GCM:
    case GNUTLS_CIPHER_AES_256_GCM:
    case GNUTLS_CIPHER_CHACHA20_POLY1305:
    case GNUTLS_CIPHER_AES_128_CCM:
    case GNUTLS_CIPHER_AES_256_CCM:
    case GNUTLS_CIPHER_AES_128_CCM_8:
    case GNUTLS_CIPHER_AES_256_CCM_8:
      return !tls13 || hash == GNUTLS_MAC_SHA256 || hash == GNUTLS_MAC_SHA384;
    default:
      return false;
  }
}

TrafficKeys KeysOfSecret(const TrafficSuite& suite, const Secret& secret) {
  return {ExpandLabel(suite, secret, "key", gnutls_cipher_get_key_size(suite.cipher)),
          ExpandLabel(suite, secret, "iv", kNonceSize), secret, 0};
}

Secret NextSecret(const TrafficSuite& suite, const Secret& secret) {
  return ExpandLabel(suite, secret, "traffic upd", secret.octets().size());
}

Status TrafficCipher::Set(const TrafficSuite& suite, TrafficKeys keys) {
  const size_t iv_size =
      suite.tls13 || IsChacha(suite.cipher) ? kNonceSize : kNonceSize - kExplicitSize;
  const size_t secret_size = suite.tls13 ? gnutls_hmac_get_len(suite.hash) : 0;
  if (keys.key.octets().size() != gnutls_cipher_get_key_size(suite.cipher) ||
      keys.iv.octets().size() != iv_size || keys.secret.octets().size() != secret_size) {
    return {Errc::kMalformed, "these are no keys of the session's cipher"};
  }
  const gnutls_datum_t key = GnutlsInput(keys.key.octets());
  GnutlsAead aead;
  if (int error = gnutls_aead_cipher_init(aead.address(), suite.cipher, &key); error < 0) {
    return GnutlsError(Errc::kUnsupported, "cannot use the session's keys", error);
  }
  suite_ = suite;
  keys_ = std::move(keys);
  aead_ = std::move(aead);
  return {};
}

size_t TrafficCipher::explicit_nonce() const {
  return suite_.tls13 || IsChacha(suite_.cipher) ? 0 : kExplicitSize;
}

size_t TrafficCipher::tag_size() const { return gnutls_cipher_get_tag_size(suite_.cipher); }

// The implicit part followed by the explicit one (RFC 5288 section 3), or masked by the sequence
// number (RFC 7905, RFC 8446 section 5.3).
Bytes TrafficCipher::Nonce(ByteView explicit_part) const {
  Bytes nonce(keys_.iv.octets().begin(), keys_.iv.octets().end());
  if (!explicit_part.empty()) {
    Append(nonce, explicit_part);
    return nonce;
  }
  for (size_t i = 0; i < kSequenceSize; i++) {
    nonce[kNonceSize - 1 - i] ^= static_cast<uint8_t>(keys_.sequence >> (8 * i));
  }
  return nonce;
}

namespace {

// What is authenticated beside the ciphertext.
Bytes AssociatedData(bool tls13, uint64_t sequence, ByteView header, size_t plain) {
  Bytes data;
  if (tls13) {  // RFC 8446 section 5.2
    data.assign(header.begin(), header.end());
    return data;
  }
  AppendU64(&data, sequence);  // RFC 5246 section 6.2.3.3
  Append(data, header.first(3));
  AppendU16(data, static_cast<uint16_t>(plain));
  return data;
}

}  // namespace

Status TrafficCipher::SealRecord(uint8_t type, ByteView plain, Bytes* out) {
  // RFC 8446 section 5.2: the type goes behind the plaintext.
  const size_t inner = plain.size() + (suite_.tls13 ? 1 : 0);
  const size_t length = explicit_nonce() + inner + tag_size();
  const size_t start = out->size();
  out->push_back(suite_.tls13 ? kRecordApplicationData : type);
  out->insert(out->end(), {3, 3});
  AppendU16(*out, static_cast<uint16_t>(length));
  if (explicit_nonce() != 0) AppendU64(out, keys_.sequence);  // never the same twice
  const size_t body = out->size();
  Append(*out, plain);
  if (suite_.tls13) out->push_back(type);
  out->resize(body + inner + tag_size());

  const ByteSpan record = ByteSpan(*out).subspan(start);
  const Bytes nonce = Nonce(record.subspan(kRecordHeaderSize, explicit_nonce()));
  Bytes associated =
      AssociatedData(suite_.tls13, keys_.sequence, record.first(kRecordHeaderSize), plain.size());
  const giovec_t auth = {associated.data(), associated.size()};
  const giovec_t text = {out->data() + body, inner};
  size_t tag = tag_size();
  const int error = gnutls_aead_cipher_encryptv2(aead_.get(), nonce.data(), nonce.size(), &auth, 1,
                                                 &text, 1, out->data() + body + inner, &tag);
  if (error < 0) {
    Wipe(record);  // it holds plaintext
    out->resize(start);
    return GnutlsError(Errc::kIntegrity, "cannot protect a message", error);
  }
  keys_.sequence++;
  return {};
}

Result<ByteSpan> TrafficCipher::OpenRecord(ByteSpan record, uint8_t* type) {
  const Status bad(Errc::kIntegrity, "a record of the peer fails its check");
  const ByteView header = record.first(kRecordHeaderSize);
  const size_t length = record.size() - kRecordHeaderSize;
  const size_t extra = explicit_nonce() + tag_size();
  const size_t most = kMaxRecordPlaintext + (suite_.tls13 ? 1 : 0);
  if (length < extra || (suite_.tls13 && length > kMaxRecordPlaintext + 256)) return bad;
  if (suite_.tls13 && header[0] != kRecordApplicationData) return bad;
  const ByteSpan body = record.subspan(kRecordHeaderSize + explicit_nonce(), length - extra);
  const Bytes nonce = Nonce(record.subspan(kRecordHeaderSize, explicit_nonce()));
  Bytes associated = AssociatedData(suite_.tls13, keys_.sequence, header, body.size());
  const giovec_t auth = {associated.data(), associated.size()};
  const giovec_t text = {body.data(), body.size()};
  uint8_t* tag = body.data() + body.size();
  if (gnutls_aead_cipher_decryptv2(aead_.get(), nonce.data(), nonce.size(), &auth, 1, &text, 1, tag,
                                   tag_size()) < 0) {
    return bad;
  }
  keys_.sequence++;
  *type = header[0];
  if (!suite_.tls13) {
    if (body.size() > most) return bad;
    return body;
  }
  size_t end = body.size();  // RFC 8446 section 5.4: zeroes behind the type are padding
  while (end != 0 && body[end - 1] == 0) end--;
  if (end == 0 || end > most) return bad;
  *type = body[end - 1];
  return body.first(end - 1);
}

Status TrafficCipher::Update() {
  return Set(suite_, KeysOfSecret(suite_, NextSecret(suite_, keys_.secret)));
}

void AppendTrafficState(const TrafficState& state, Bytes* to) {
  to->push_back(state.suite.tls13 ? 1 : 0);
  to->push_back(static_cast<uint8_t>(state.suite.cipher));
  to->push_back(static_cast<uint8_t>(state.suite.hash));
  AppendU16(*to, static_cast<uint16_t>(state.max_plaintext));
  for (const TrafficKeys* keys : {&state.read, &state.write}) {
    AppendU64(to, keys->sequence);
    AppendSecret(keys->key, to);
    AppendSecret(keys->iv, to);
    AppendSecret(keys->secret, to);
  }
}

Result<TrafficState> ReadTrafficState(Cursor* in) {
  TrafficState state;
  const uint8_t tls13 = in->U8();
  state.suite.tls13 = tls13 == 1;
  state.suite.cipher = static_cast<gnutls_cipher_algorithm_t>(in->U8());
  state.suite.hash = static_cast<gnutls_mac_algorithm_t>(in->U8());
  state.max_plaintext = in->U16();
  for (TrafficKeys* keys : {&state.read, &state.write}) {
    keys->sequence = ReadU64(in);
    keys->key = ReadSecret(in);
    keys->iv = ReadSecret(in);
    keys->secret = ReadSecret(in);
  }
  if (!in->ok() || tls13 > 1 || !state.suite.known() || state.max_plaintext == 0 ||
      state.max_plaintext > kMaxRecordPlaintext) {
    return {Errc::kMalformed, "this is no session that was handed over"};
  }
  return state;
}

}  // namespace socksify
