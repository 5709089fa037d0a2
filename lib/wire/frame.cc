#include "lib/wire/frame.h"

namespace socksify {

void WriteFrameHeader(ByteSpan header, uint8_t type, uint16_t length) {
  header[0] = kFrameVersion;
  header[1] = type;
  header[2] = static_cast<uint8_t>(length >> 8);
  header[3] = static_cast<uint8_t>(length);
}

Result<FrameHead> ParseFrameHead(ByteView octets) {
  constexpr size_t kAbortSize = 2;
  if (!octets.empty() && octets[0] != kFrameVersion) {
    return {Errc::kMalformed, "a frame of unknown version (0x" + Hex(octets.first(1)) + ")"};
  }
  // An abort has no LEN (RFC 1961 section 3.8), so no more than two octets may be waited for at
  // first.
  if (octets.size() < kAbortSize) return FrameHead{0, kAbortSize - octets.size(), 0};
  const uint8_t type = octets[1];
  if (type == static_cast<uint8_t>(MessageType::kAbort)) return FrameHead{kAbortSize, 0, type};
  if (octets.size() < kFrameHeaderSize) {
    return FrameHead{0, kFrameHeaderSize - octets.size(), 0};
  }
  const size_t length = static_cast<size_t>(octets[2]) << 8 | octets[3];
  return FrameHead{kFrameHeaderSize + length, 0, type};
}

}  // namespace socksify
