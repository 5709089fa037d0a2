// A layer that frames without cryptography, so that a test foresees every octet.
#ifndef TESTS_UNIT_FAKE_LAYER_H_
#define TESTS_UNIT_FAKE_LAYER_H_

#include "lib/security/security_layer.h"
#include "lib/wire/frame.h"

namespace socksify {

// Negotiates with one message each way, `01 01 LEN "hello"` and `01 01 00 00`; anything else makes
// it abort. A token is a sequence number and the plaintext, masked: replayed, missing and reordered
// ones are noticed, and plaintext on the wire would be seen.
class FramedFakeLayer final : public SecurityLayer {
 public:
  static constexpr size_t kMaxPlain = 1000;
  static constexpr uint8_t kMask = 0x5a;

  Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) override {
    *consumed = 0;
    auto head = ParseFrameHead(input);
    if (!head.ok()) return head.status();
    if (head->size == 0 || input.size() < head->size) return false;
    *consumed = head->size;
    if (AsText(input.subspan(kFrameHeaderSize, head->size - kFrameHeaderSize)) != "hello") {
      Append(*output, Bytes{0x01, 0xff});
      return {Errc::kAuthentication, "not hello"};
    }
    Append(*output, Bytes{0x01, 0x01, 0x00, 0x00});
    return true;
  }
  size_t WantedOctets() const override { return 1; }
  SecuritySummary Summary() const override { return {"fake", {}, {}, ProtectionLevel::kNone}; }
  bool framed() const override { return true; }
  size_t MaxPlaintext() const override { return kMaxPlain; }
  size_t MinFrameSize() const override { return kFrameHeaderSize + 2; }

  Status Seal(ByteView plain, Bytes* frame) override {
    if (plain.empty() || plain.size() > kMaxPlain) return {Errc::kUnsupported, "size"};
    uint8_t header[kFrameHeaderSize];
    WriteFrameHeader(header, 0x03, static_cast<uint16_t>(plain.size() + 1));
    Append(*frame, header);
    frame->push_back(sealed_++);
    for (uint8_t octet : plain) frame->push_back(octet ^ kMask);
    return {};
  }
  Result<size_t> FrameSize(ByteView octets) const override {
    auto head = ParseFrameHead(octets);
    if (!head.ok()) return head.status();
    if (head->size == 0) return size_t{0};
    if (head->type != 0x03) return {Errc::kMalformed, "type"};
    if (head->size == kFrameHeaderSize) return {Errc::kMalformed, "empty"};
    return head->size;
  }
  Result<ByteSpan> Open(ByteSpan frame) override {
    if (frame[kFrameHeaderSize] != opened_++) return {Errc::kIntegrity, "out of order"};
    ByteSpan plain = frame.subspan(kFrameHeaderSize + 1);
    for (uint8_t& octet : plain) octet ^= kMask;
    return plain;
  }

 private:
  uint8_t sealed_ = 0;
  uint8_t opened_ = 0;
};

}  // namespace socksify

#endif  // TESTS_UNIT_FAKE_LAYER_H_
