#include "lib/security/gss_protection.h"

#include <krb5/krb5.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/wire/datagram.h"

namespace socksify {
namespace {

// The four parts of a wrap token. RFC 4121 tokens carry all of them in this order, so a token can
// be made in place.
enum Part { kHeader, kData, kPadding, kTrailer, kParts };

void DescribeParts(gss_iov_buffer_desc (&parts)[kParts], ByteSpan data) {
  parts[kHeader] = {GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER};
  parts[kData] = {GSS_IOV_BUFFER_TYPE_DATA, {data.size(), data.data()}};
  parts[kPadding] = {GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER};
  parts[kTrailer] = {GSS_IOV_BUFFER_TYPE_TRAILER, GSS_C_EMPTY_BUFFER};
}

size_t TokenSize(gss_ctx_id_t context, bool confidential, size_t plaintext) {
  gss_iov_buffer_desc parts[kParts];
  DescribeParts(parts, {static_cast<uint8_t*>(nullptr), plaintext});
  OM_uint32 minor;
  if (GSS_ERROR(gss_wrap_iov_length(&minor, context, confidential, GSS_C_QOP_DEFAULT, nullptr,
                                    parts, kParts))) {
    return 0;
  }
  size_t size = 0;
  for (const gss_iov_buffer_desc& part : parts) size += part.buffer.length;
  return size;
}

Status WrapError(OM_uint32 major, OM_uint32 minor) {
  return {Errc::kIntegrity, "cannot protect a message: " + GssErrorText(major, minor)};
}

constexpr size_t kTokenHeaderSize = 16;

// Is it a wrap token of RFC 4121 section 4.2.6.2: TOK_ID 05 04, one octet of flags, filler FF, EC,
// RRC and SND_SEQ? MIT 1.20 follows a null pointer at others, a MIC token of RFC 1964 for one,
// which anybody on the wire could send.
bool IsWrapToken(ByteView token) {
  return token.size() >= kTokenHeaderSize && token[0] == 0x05 && token[1] == 0x04 &&
         token[3] == 0xff;
}

// SND_SEQ of a wrap token.
uint64_t SequenceOf(ByteView token) {
  uint64_t sequence = 0;
  for (uint8_t octet : token.subspan(8, 8)) sequence = sequence << 8 | octet;
  return sequence;
}

// What MIT remembers of a context: whether each of so many tokens has come.
constexpr uint64_t kWindow = 64;

}  // namespace

GssProtection::GssProtection(GssContext context, ProtectionLevel level, size_t max_token)
    : level_(level), max_token_(max_token), context_(std::move(context)) {
  max_plaintext_ = SizeLimit(max_token);
  max_datagram_ = SizeLimit(std::min(max_token, kMaxUdpPayload - kFrameHeaderSize));
  OM_uint32 minor, flags = 0;
  ordered_ = !GSS_ERROR(gss_inquire_context(&minor, context_.get(), nullptr, nullptr, nullptr,
                                            nullptr, &flags, nullptr, nullptr)) &&
             (flags & GSS_C_SEQUENCE_FLAG) != 0;
  // The peer may protect more than asked for, never less: integrity is the least it can be.
  min_frame_ = kFrameHeaderSize + std::max<size_t>(1, std::min(TokenSize(context_.get(), false, 1),
                                                               TokenSize(context_.get(), true, 1)));
  frame_overhead_ = level == ProtectionLevel::kConfidentiality
                        ? kFrameHeaderSize + TokenSize(context_.get(), true, 1) - 1
                        : min_frame_ - 1;
}

// The most plaintext that a token of so many octets holds.
size_t GssProtection::SizeLimit(size_t token) const {
  OM_uint32 minor, limit = 0;
  const bool confidential = level_ != ProtectionLevel::kIntegrity;
  const OM_uint32 major =
      gss_wrap_size_limit(&minor, context_.get(), confidential, GSS_C_QOP_DEFAULT,
                          static_cast<OM_uint32>(token), &limit);
  return GSS_ERROR(major) ? 0 : limit;
}

Status GssProtection::Seal(ByteView plain, Bytes* frame) {
  const bool confidential = level_ != ProtectionLevel::kIntegrity;
  gss_iov_buffer_desc parts[kParts];
  DescribeParts(parts, {static_cast<uint8_t*>(nullptr), plain.size()});
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  OM_uint32 minor;
  OM_uint32 major = gss_wrap_iov_length(&minor, context_.get(), confidential, GSS_C_QOP_DEFAULT,
                                        nullptr, parts, kParts);
  if (GSS_ERROR(major)) return WrapError(major, minor);

  size_t token_size = 0;
  for (const gss_iov_buffer_desc& part : parts) token_size += part.buffer.length;
  if (plain.empty() || plain.size() > max_plaintext_ || token_size > kMaxTokenSize) {
    return {Errc::kUnsupported, "a frame cannot hold " + std::to_string(plain.size()) + " octets"};
  }
  const size_t start = frame->size();
  frame->resize(start + kFrameHeaderSize + token_size);
  uint8_t* at = frame->data() + start + kFrameHeaderSize;
  for (gss_iov_buffer_desc& part : parts) {
    part.buffer.value = at;
    at += part.buffer.length;
  }
  memcpy(parts[kData].buffer.value, plain.data(), plain.size());

  int conf_state = 0;
  major = gss_wrap_iov(&minor, context_.get(), confidential, GSS_C_QOP_DEFAULT, &conf_state, parts,
                       kParts);
  if (major != GSS_S_COMPLETE || (conf_state != 0) != confidential) {
    Wipe({frame->data() + start, frame->size() - start});  // it holds plaintext
    frame->resize(start);
    return error_ = WrapError(major, minor);
  }
  WriteFrameHeader({frame->data() + start, kFrameHeaderSize},
                   static_cast<uint8_t>(MessageType::kUserData), static_cast<uint16_t>(token_size));
  return {};
}

Result<GssProtection::Opened> GssProtection::Unwrap(ByteSpan token, bool in_order) {
  if (!IsWrapToken(token)) {
    return {Errc::kIntegrity, "a message of the peer is no wrap token of RFC 4121"};
  }
  const uint64_t sequence = SequenceOf(token);
  int conf_state = 0;
  Opened opened;
  if (in_order) {
    enum { kStream, kPlain, kBuffers };
    gss_iov_buffer_desc buffers[kBuffers] = {
        {GSS_IOV_BUFFER_TYPE_STREAM, {token.size(), token.data()}},
        {GSS_IOV_BUFFER_TYPE_DATA, GSS_C_EMPTY_BUFFER},
    };
    opened.major =
        gss_unwrap_iov(&opened.minor, context_.get(), &conf_state, nullptr, buffers, kBuffers);
    opened.plain = ByteSpan(static_cast<uint8_t*>(buffers[kPlain].buffer.value),
                            buffers[kPlain].buffer.length);
  } else {
    // In place MIT 1.20 does not say where the plaintext of a token is that comes out of order.
    gss_buffer_desc sealed = GssInput(token);
    GssBuffer plain;
    opened.major =
        gss_unwrap(&opened.minor, context_.get(), &sealed, plain.get(), &conf_state, nullptr);
    opened.plain = token.first(std::min(token.size(), plain.octets().size()));
    std::ranges::copy(plain.octets().first(opened.plain.size()), opened.plain.begin());
  }
  if (GSS_ERROR(opened.major)) {
    return {Errc::kIntegrity,
            "a message of the peer fails its check: " + GssErrorText(opened.major, opened.minor)};
  }
  if (opened.major == GSS_S_COMPLETE || opened.major == GSS_S_GAP_TOKEN) {
    next_ = std::max(next_, sequence + 1);
  }
  if (level_ == ProtectionLevel::kConfidentiality && conf_state == 0) {
    return {Errc::kPolicy, "a message came without the confidentiality that was agreed"};
  }
  return opened;
}

Result<ByteSpan> GssProtection::Open(ByteSpan frame) {
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  auto opened = Unwrap(frame.subspan(kFrameHeaderSize), /*in_order=*/true);
  if (!opened.ok()) return error_ = opened.status();
  // Replayed, missing and reordered tokens come with their data and a supplementary status: on a
  // stream nothing but exactly GSS_S_COMPLETE will do (protocol.md section 1).
  if (opened->major != GSS_S_COMPLETE) {
    return error_ = {Errc::kIntegrity, "a message of the peer fails its check: " +
                                           GssErrorText(opened->major, opened->minor)};
  }
  return opened->plain;
}

Status GssProtection::SealDatagram(ByteView plain, Bytes* datagram) {
  if (plain.size() > max_datagram_) return DatagramTooLarge(plain.size());
  return Seal(plain, datagram);
}

// No error of a datagram is the session's.
Result<ByteSpan> GssProtection::OpenDatagram(ByteSpan datagram) {
  auto head = ParseFrameHead(datagram);
  if (!head.ok()) return head.status();
  if (head->size != datagram.size() || head->size == kFrameHeaderSize ||
      static_cast<MessageType>(head->type) != MessageType::kUserData) {
    return {Errc::kMalformed, "a datagram is not one message of the session"};
  }
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  const ByteSpan token = datagram.subspan(kFrameHeaderSize);
  const uint64_t sequence = token.size() < kTokenHeaderSize ? 0 : SequenceOf(token);
  auto opened = Unwrap(token, /*in_order=*/!ordered_);
  if (!opened.ok()) return opened.status();
  bool fresh = opened->major == GSS_S_COMPLETE || opened->major == GSS_S_GAP_TOKEN;
  // With the order asked for, one that has come late and one too old to tell whether it has come
  // before look the same.
  if (opened->major == GSS_S_UNSEQ_TOKEN) {
    fresh = sequence < next_ && next_ - sequence <= kWindow;
  }
  if (!fresh) {
    return {Errc::kIntegrity,
            "a datagram has come before: " + GssErrorText(opened->major, opened->minor)};
  }
  return opened->plain;
}

Result<Bytes> GssProtection::ExportContext() {
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  GssBuffer token;
  OM_uint32 minor;
  const OM_uint32 major = gss_export_sec_context(&minor, context_.address(), token.get());
  if (context_.get() == nullptr) {
    error_ = {Errc::kUnsupported, "the session has been handed over to another process"};
  }
  if (GSS_ERROR(major)) {
    return {Errc::kUnsupported, "cannot hand the session over: " + GssErrorText(major, minor)};
  }
  Bytes octets(token.octets().begin(), token.octets().end());
  token.Wipe();
  return octets;
}

Result<Bytes> WrapProtectionLevel(gss_ctx_id_t context, uint8_t level) {
  gss_buffer_desc plain = GssInput({&level, 1});
  GssBuffer token;
  OM_uint32 minor;
  OM_uint32 major =
      gss_wrap(&minor, context, /*conf_req=*/0, GSS_C_QOP_DEFAULT, &plain, nullptr, token.get());
  if (major != GSS_S_COMPLETE) return WrapError(major, minor);
  return Bytes(token.octets().begin(), token.octets().end());
}

Result<uint8_t> UnwrapProtectionLevel(gss_ctx_id_t context, ByteView token) {
  if (!IsWrapToken(token)) {
    return {Errc::kIntegrity, "the protection level is no wrap token of RFC 4121"};
  }
  gss_buffer_desc sealed = GssInput(token);
  GssBuffer plain;
  OM_uint32 minor;
  OM_uint32 major = gss_unwrap(&minor, context, &sealed, plain.get(), nullptr, nullptr);
  if (major != GSS_S_COMPLETE) {
    return {Errc::kIntegrity,
            "the protection level fails its check: " + GssErrorText(major, minor)};
  }
  if (plain.octets().size() != 1) {
    return {Errc::kMalformed, "the protection level is not one octet"};
  }
  return plain.octets()[0];
}

std::string DescribeMechanism(gss_ctx_id_t context, gss_OID mechanism) {
  OM_uint32 minor;
  std::string name = "unknown";
  if (mechanism != GSS_C_NO_OID) {
    GssBuffer sasl, short_name, description;
    if (!GSS_ERROR(gss_inquire_saslname_for_mech(&minor, mechanism, sasl.get(), short_name.get(),
                                                 description.get()))) {
      name = AsText(short_name.octets());
    }
  }
  // The session key's enctype is the last arc of the second element's OID.
  gss_buffer_set_t key = GSS_C_NO_BUFFER_SET;
  if (!GSS_ERROR(
          gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &key)) &&
      key->count >= 2 && key->elements[1].length != 0) {
    const auto& oid = key->elements[1];
    krb5_enctype enctype = static_cast<const uint8_t*>(oid.value)[oid.length - 1];
    char text[64];
    if (krb5_enctype_to_name(enctype, /*shortest=*/0, text, sizeof text) == 0) {
      name += std::string(" (") + text + ")";
    }
    Wipe({static_cast<uint8_t*>(key->elements[0].value), key->elements[0].length});
  }
  (void)gss_release_buffer_set(&minor, &key);
  return name;
}

}  // namespace socksify
