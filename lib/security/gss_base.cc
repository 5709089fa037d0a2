#include "lib/security/gss_base.h"

#include <utility>

#include "lib/security/gss_lucid.h"
#include "lib/security/krb5_protection.h"
#include "lib/security/library_gate.h"

namespace socksify {

Result<bool> GssLayer::Negotiate(ByteView input, size_t* consumed, Bytes* output) {
  const LibraryGate gate;
  *consumed = 0;
  if (!error_.ok()) return error_;
  if (!begun_) {
    begun_ = true;
    if (Status status = Begin(output); !status.ok()) {
      return FailAloud(std::move(status), output);
    }
  }
  while (!established()) {
    ByteView rest = input.subspan(*consumed);
    auto head = ParseFrameHead(rest);
    if (!head.ok()) return FailAloud(head.status(), output);
    wanted_ = head->size == 0 ? head->missing : head->size - std::min(rest.size(), head->size);
    if (wanted_ != 0) return false;
    *consumed += head->size;

    const auto type = static_cast<MessageType>(head->type);
    if (type == MessageType::kAbort) {
      return Fail({Errc::kAuthentication, "the peer aborted the GSS-API negotiation"});
    }
    if (type != MessageType::kAuthentication && type != MessageType::kProtectionLevel) {
      return FailAloud({Errc::kMalformed, "unexpected message type in the GSS-API negotiation"},
                       output);
    }
    ByteView token = rest.subspan(kFrameHeaderSize, head->size - kFrameHeaderSize);
    if (Status status = HandleMessage(type, token, output); !status.ok()) {
      return FailAloud(std::move(status), output);
    }
  }
  return true;
}

Status GssLayer::Seal(ByteView plain, Bytes* frame) {
  const LibraryGate gate;
  return protection_->Seal(plain, frame);
}

Result<ByteSpan> GssLayer::Open(ByteSpan frame) {
  const LibraryGate gate;
  return protection_->Open(frame);
}

void GssLayer::Expect(ByteSpan frame, ByteSpan next) {
  const LibraryGate gate;
  protection_->Expect(frame, next);
}

Status GssLayer::SealDatagram(ByteView plain, Bytes* datagram) {
  const LibraryGate gate;
  return protection_->SealDatagram(plain, datagram);
}

Result<ByteSpan> GssLayer::OpenDatagram(ByteSpan datagram) {
  const LibraryGate gate;
  return protection_->OpenDatagram(datagram);
}

Result<size_t> GssLayer::FrameSize(ByteView octets) const {
  auto head = ParseFrameHead(octets);
  if (!head.ok()) return head.status();
  if (head->size == 0) return size_t{0};
  if (static_cast<MessageType>(head->type) != MessageType::kUserData) {
    return {Errc::kMalformed, "a message that is not user data came on an established session"};
  }
  if (head->size == kFrameHeaderSize) return {Errc::kMalformed, "an empty frame came"};
  return head->size;
}

Status GssLayer::AppendMessage(Bytes* output, MessageType type, ByteView token) {
  if (token.size() > kMaxTokenSize) {
    return {Errc::kUnsupported,
            "a GSS-API token of " + std::to_string(token.size()) + " octets does not fit a frame"};
  }
  uint8_t header[kFrameHeaderSize];
  WriteFrameHeader(header, static_cast<uint8_t>(type), static_cast<uint16_t>(token.size()));
  Append(*output, header);
  Append(*output, token);
  return {};
}

Status GssLayer::Establish(GssContext context, ProtectionLevel level, size_t max_token,
                           std::optional<uint64_t> next) {
  if (!next || FindKrb5Enctype(ContextEnctype(context.get())) == nullptr) {
    Establish(std::make_unique<GssProtection>(std::move(context), level, max_token));
    return {};
  }
  auto session = LeaveLibrary(std::move(context), *next);
  if (session == nullptr) return {Errc::kUnsupported, "the Kerberos library gives no session key"};
  Establish(std::make_unique<Krb5Protection>(std::move(session), level, max_token));
  return {};
}

void GssLayer::Establish(std::unique_ptr<MessageProtection> protection) {
  summary_.level = protection->level();
  protection_ = std::move(protection);
}

Status GssLayer::Fail(Status error) {
  error_ = std::move(error);
  return error_;
}

Status GssLayer::FailAloud(Status error, Bytes* output) {
  AppendAbort(output);
  return Fail(std::move(error));
}

}  // namespace socksify
