#include "lib/security/ssl_base.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/security/library_gate.h"

namespace socksify {
namespace {

// What an update of keys takes in front of sealed octets: a record of 5 + 1 octets and a tag.
constexpr size_t kUpdateRoom = 32;

}  // namespace

Result<size_t> RecordSize(ByteView head) {
  // RFC 8446 section 5.1; the version is 03 xx whatever is spoken. Of what is wrong from the start,
  // no more needs to come.
  const bool whole = head.size() >= kRecordHeaderSize;
  const size_t size = whole ? kRecordHeaderSize + (size_t{head[3]} << 8 | head[4]) : 0;
  const bool type_known =
      head.empty() || (head[0] >= kRecordChangeCipherSpec && head[0] <= kRecordApplicationData);
  if (!type_known || (head.size() > 1 && head[1] != 3) || size > kMaxRecordSize) {
    return {Errc::kMalformed, "what came in a frame is no TLS (0x" +
                                  Hex(head.first(std::min(head.size(), kRecordHeaderSize))) + ")"};
  }
  return size;
}

void AppendFrames(SslState state, ByteView records, Bytes* output) {
  while (!records.empty()) {
    const ByteView data = records.first(std::min(records.size(), kMaxTokenSize));
    uint8_t header[kFrameHeaderSize];
    WriteFrameHeader(header, static_cast<uint8_t>(state), static_cast<uint16_t>(data.size()));
    Append(*output, header);
    Append(*output, data);
    records = records.subspan(data.size());
  }
}

size_t RecordSplitter::Complete(ByteView data) {
  size_t until = kRecordHeaderSize;
  if (begun_.size() >= kRecordHeaderSize) until = *RecordSize(begun_);
  const size_t count = std::min(until - begun_.size(), data.size());
  Append(begun_, data.first(count));
  return count;
}

void SslLayer::Establish(std::unique_ptr<SslRecords> records) {
  records_ = std::move(records);
  summary_.level = ProtectionLevel::kConfidentiality;
  // So many whole records as the longest frame needs, and its rest in one more.
  const size_t room = kMaxTokenSize - kUpdateRoom;
  const size_t record = records_->max_plaintext() + records_->overhead();
  const size_t rest = room % record;
  max_plaintext_ = room / record * records_->max_plaintext() +
                   (rest > records_->overhead() ? rest - records_->overhead() : 0);
}

Status SslLayer::Seal(ByteView plain, Bytes* frame) {
  const LibraryGate gate;
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  if (closed_) return {Errc::kUnsupported, "this direction has been closed"};
  if (plain.empty() || plain.size() > max_plaintext_) {
    return {Errc::kUnsupported, "a frame cannot hold " + std::to_string(plain.size()) + " octets"};
  }
  if (!due_.empty()) AppendFrames(SslState::kData, std::exchange(due_, {}), frame);
  const size_t start = frame->size();
  const size_t records = plain.size() / records_->max_plaintext() + 1;
  frame->reserve(start + kFrameHeaderSize + plain.size() + records * records_->overhead());
  frame->resize(start + kFrameHeaderSize);
  Status status = records_->Seal(plain, frame);
  const size_t length = frame->size() - start - kFrameHeaderSize;
  if (status.ok() && length > kMaxTokenSize) status = {Errc::kUnsupported, "a record is too long"};
  if (!status.ok()) {
    frame->resize(start);
    return error_ = std::move(status);
  }
  WriteFrameHeader(ByteSpan(*frame).subspan(start), static_cast<uint8_t>(SslState::kData),
                   static_cast<uint16_t>(length));
  return {};
}

Result<size_t> SslLayer::FrameSize(ByteView head) const {
  if (!head.empty() && head[0] != kFrameVersion) {
    return {Errc::kMalformed, "a frame of unknown version (0x" + Hex(head.first(1)) + ")"};
  }
  if (head.size() >= 2 && (head[1] < static_cast<uint8_t>(SslState::kHandshake) ||
                           head[1] > static_cast<uint8_t>(SslState::kClosing))) {
    return {Errc::kMalformed, "a frame of unknown state (0x" + Hex(head.subspan(1, 1)) + ")"};
  }
  if (head.size() < kFrameHeaderSize) return size_t{0};
  return kFrameHeaderSize + (size_t{head[2]} << 8 | head[3]);
}

Result<ByteSpan> SslLayer::Open(ByteSpan frame) {
  const LibraryGate gate;
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  auto plain = OpenData(frame.subspan(kFrameHeaderSize));
  if (!plain.ok()) error_ = plain.status();
  return plain;
}

Result<ByteSpan> SslLayer::OpenData(ByteSpan data) {
  joined_ = {};
  ByteSpan plain;
  bool joining = false;
  Status status = splitter_.Feed(data, [&](ByteSpan record, bool kept) -> Status {
    if (peer_closed_) return {};  // RFC 8446 section 6.1: what follows is ignored
    auto opened = records_->Open(record);
    if (!opened.ok()) return opened.status();
    peer_closed_ = records_->peer_closed();
    if (opened->empty()) return {};
    if (kept || joining) {
      joining = true;
      Append(joined_, *opened);
      plain = joined_;
    } else if (plain.empty()) {
      plain = *opened;
    } else {  // close up, over the headers
      memmove(plain.data() + plain.size(), opened->data(), opened->size());
      plain = {plain.data(), plain.size() + opened->size()};
    }
    return {};
  });
  if (!status.ok()) return status;
  return plain;
}

// UDP-Naked: as they are.
Status SslLayer::SealDatagram(ByteView plain, Bytes* datagram) {
  if (!udp_naked_) return SecurityLayer::SealDatagram(plain, datagram);
  if (plain.size() > kMaxUdpPayload) return DatagramTooLarge(plain.size());
  Append(*datagram, plain);
  return {};
}

Result<ByteSpan> SslLayer::OpenDatagram(ByteSpan datagram) {
  if (!udp_naked_) return SecurityLayer::OpenDatagram(datagram);
  return datagram;
}

Status SslLayer::Close(Bytes* frames) {
  const LibraryGate gate;
  std::lock_guard lock(mutex_);
  if (!error_.ok()) return error_;
  if (closed_) return {};
  closed_ = true;
  if (!due_.empty()) AppendFrames(SslState::kData, std::exchange(due_, {}), frames);
  Bytes records;
  if (Status status = records_->CloseNotify(&records); !status.ok()) return error_ = status;
  AppendFrames(SslState::kClosing, records, frames);
  return {};
}

}  // namespace socksify
