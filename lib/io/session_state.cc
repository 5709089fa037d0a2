// VERSION FLAGS, then each of the four fields behind its length in four octets.
#include "lib/io/session_state.h"

namespace socksify {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kSendingEnded = 0x01, kReceivingEnded = 0x02;
constexpr Bytes SessionState::*kFields[] = {&SessionState::layer, &SessionState::plaintext,
                                            &SessionState::received, &SessionState::unsent};

}  // namespace

Bytes EncodeSessionState(const SessionState& state) {
  size_t size = 2;
  for (auto field : kFields) size += 4 + (state.*field).size();
  Bytes octets;
  octets.reserve(size);  // no copy is left behind by growing
  octets.push_back(kVersion);
  octets.push_back(static_cast<uint8_t>((state.sending_ended ? kSendingEnded : 0) |
                                        (state.receiving_ended ? kReceivingEnded : 0)));
  for (auto field : kFields) {
    const Bytes& value = state.*field;
    AppendU16(octets, static_cast<uint16_t>(value.size() >> 16));
    AppendU16(octets, static_cast<uint16_t>(value.size()));
    Append(octets, value);
  }
  return octets;
}

Result<SessionState> DecodeSessionState(ByteView octets) {
  Cursor in(octets);
  SessionState state;
  const uint8_t version = in.U8(), flags = in.U8();
  for (auto field : kFields) {
    const size_t high = in.U16(), low = in.U16();
    const ByteView value = in.Take(high << 16 | low);
    (state.*field).assign(value.begin(), value.end());
  }
  if (!in.ok() || in.remaining() != 0 || version != kVersion ||
      (flags & ~(kSendingEnded | kReceivingEnded)) != 0) {
    for (auto field : kFields) Wipe(state.*field);
    return {Errc::kMalformed, "this is no state of a session"};
  }
  state.sending_ended = (flags & kSendingEnded) != 0;
  state.receiving_ended = (flags & kReceivingEnded) != 0;
  return state;
}

}  // namespace socksify
