#include "lib/security/krb5_protection.h"

#include <algorithm>
#include <utility>

#include "lib/wire/datagram.h"
#include "lib/wire/frame.h"

namespace socksify {
namespace {

// The most plaintext that a token of so many octets holds.
size_t Room(size_t token, size_t overhead) { return token > overhead ? token - overhead : 0; }

}  // namespace

Krb5Protection::Krb5Protection(std::unique_ptr<Krb5Session> session, ProtectionLevel level,
                               size_t max_token)
    : MessageProtection(level, max_token), session_(std::move(session)) {
  const size_t overhead = session_->Overhead(confidential());
  max_plaintext_ = Room(max_token, overhead);
  max_datagram_ = Room(std::min(max_token, kMaxUdpPayload - kFrameHeaderSize), overhead);
  // The peer may protect more than asked for, never less: integrity is the least it can be.
  const size_t least = kFrameHeaderSize + session_->Overhead(false);
  min_frame_ = least + 1;
  frame_overhead_ =
      level == ProtectionLevel::kConfidentiality ? kFrameHeaderSize + overhead : least;
  ordered_ = session_->ordered();
}

template <typename MakeToken>
Status Krb5Protection::SealFrame(ByteView plain, Bytes* frame, MakeToken make_token) {
  if (failed_) return error();
  if (plain.empty() || plain.size() > max_plaintext_) return FrameTooLarge(plain.size());
  const size_t start = frame->size();
  const size_t token_size = plain.size() + session_->Overhead(confidential());
  frame->resize(start + kFrameHeaderSize);
  WriteFrameHeader({frame->data() + start, kFrameHeaderSize},
                   static_cast<uint8_t>(MessageType::kUserData), static_cast<uint16_t>(token_size));
  Status status = make_token();
  if (status.ok()) return {};
  frame->resize(start);
  return Fail(std::move(status));
}

Status Krb5Protection::Seal(ByteView plain, Bytes* frame) {
  return SealFrame(plain, frame, [&] { return session_->Seal(confidential(), plain, frame); });
}

Status Krb5Protection::SealApart(uint64_t place, size_t lane, ByteView plain, Bytes* frame) {
  return SealFrame(plain, frame,
                   [&] { return session_->SealApart(place, lane, confidential(), plain, frame); });
}

Result<ByteSpan> Krb5Protection::OpenToken(Krb5Session::Order order, ByteSpan token) {
  auto opened = session_->Open(order, token);
  if (!opened.ok()) return opened.status();
  if (level_ == ProtectionLevel::kConfidentiality && !opened->confidential) {
    return NotConfidential();
  }
  return opened->plain;
}

Result<ByteSpan> Krb5Protection::Open(ByteSpan frame) {
  using Order = Krb5Session::Order;
  if (failed_) return error();
  auto plain =
      OpenToken(ordered_ ? Order::kStrict : Order::kLoose, frame.subspan(kFrameHeaderSize));
  if (!plain.ok()) return Fail(plain.status());
  return plain;
}

void Krb5Protection::Expect(ByteSpan frame, ByteSpan next) {
  if (!failed_) session_->Expect(frame.subspan(kFrameHeaderSize), next.subspan(kFrameHeaderSize));
}

Status Krb5Protection::SealDatagram(ByteView plain, Bytes* datagram) {
  if (plain.size() > max_datagram_) return DatagramTooLarge(plain.size());
  return Seal(plain, datagram);
}

// No error of a datagram is the session's.
Result<ByteSpan> Krb5Protection::OpenDatagram(ByteSpan datagram) {
  auto token = TokenOfDatagram(datagram);
  if (!token.ok()) return token.status();
  if (failed_) return error();
  return OpenToken(Krb5Session::Order::kLoose, *token);
}

Result<Bytes> Krb5Protection::Export() {
  if (failed_) return error();
  Bytes state = session_->Export();
  (void)Fail({Errc::kUnsupported, "the session has been handed over to another process"});
  return state;
}

Status Krb5Protection::error() {
  std::lock_guard lock(error_mutex_);
  return error_;
}

Status Krb5Protection::Fail(Status error) {
  std::lock_guard lock(error_mutex_);
  if (error_.ok()) error_ = std::move(error);
  failed_ = true;
  return error_;
}

}  // namespace socksify
