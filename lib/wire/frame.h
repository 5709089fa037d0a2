// The four-octet frame that RFC 1961 (sections 3.4, 4.3, 5) and the SSL draft share:
//
//   +------+------+------+.......................+
//   + ver  | mtyp | len  |       token           |
//   +------+------+------+.......................+
//   + 0x01 |  1   |  2   | up to 2^16 - 1 octets |
//   +------+------+------+.......................+
//
// and the one message that has no LEN: abort, 01 FF (RFC 1961 section 3.8).
#ifndef LIB_WIRE_FRAME_H_
#define LIB_WIRE_FRAME_H_

#include <cstdint>

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace socksify {

inline constexpr uint8_t kFrameVersion = 0x01;
inline constexpr size_t kFrameHeaderSize = 4;
inline constexpr size_t kMaxTokenSize = 65535;
inline constexpr size_t kMaxFrameSize = kFrameHeaderSize + kMaxTokenSize;

// Plaintext that a frame of bulk carries. A longer one would be two packets of the kernel's, which
// cuts at 64 KB less headers: the second a very short one, at the price of another.
inline constexpr size_t kBulkPlaintext = 64000;

enum class MessageType : uint8_t {  // mtyp, RFC 1961
  kAuthentication = 0x01,
  kProtectionLevel = 0x02,
  kUserData = 0x03,
  kAbort = 0xff,
};

// STATE, the SSL draft. It lies outside TLS, where anybody on the way can change it: nothing that
// matters depends on a peer's.
enum class SslState : uint8_t { kHandshake = 1, kOptions = 2, kData = 3, kClosing = 4 };

// Writes VER TYPE LEN into the first four octets of `header`. `type` is a MessageType or an
// SslState.
void WriteFrameHeader(ByteSpan header, uint8_t type, uint16_t length);

// What the first octets of a frame say.
struct FrameHead {
  size_t size = 0;     // the whole frame, header included; 0: too few octets to know
  size_t missing = 0;  // when size is 0: at least so many more octets are wanted
  uint8_t type = 0;    // valid when size is not 0
};

// `octets` may hold less than a frame, or more. An abort counts as a frame of two octets.
// kMalformed: VER is not 01. Types are not judged here.
Result<FrameHead> ParseFrameHead(ByteView octets);

}  // namespace socksify

#endif  // LIB_WIRE_FRAME_H_
