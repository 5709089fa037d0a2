// The messages of CHAP, draft-ietf-aft-socks-chap-01: assertions of attributes, in any order. Same
// conventions as socks5.h.
#ifndef LIB_WIRE_CHAP_H_
#define LIB_WIRE_CHAP_H_

#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/socks5.h"

namespace socksify {

inline constexpr uint8_t kChapVersion = 0x01;
inline constexpr uint8_t kChapSuccess = 0x00;
inline constexpr uint8_t kChapFailure = 0xff;
inline constexpr uint8_t kChapHmacMd5 = 0x85;  // the algorithm that everyone has

enum class ChapAttribute : uint8_t {
  kStatus = 0x00,
  kTextMessage = 0x01,
  kUserIdentity = 0x02,
  kChallenge = 0x03,
  kResponse = 0x04,
  kCharset = 0x05,
  kIdentifier = 0x10,  // of MD5 alone
  kAlgorithms = 0x11,
};

struct ChapMessage {  // VER NAVAS (ATT VALLEN VAL)*
  std::vector<std::pair<ChapAttribute, Bytes>> assertions;

  const Bytes* Find(ChapAttribute attribute) const;  // the first; null without one
};
// kConfig: no assertion, more than 255, or a value of more than 255 octets.
Status AppendChapMessage(Bytes& to, const ChapMessage& message);
// Keeps what it does not know. kMalformed: VER, NAVAS 0.
Result<Parsed<ChapMessage>> ParseChapMessage(ByteView octets);

}  // namespace socksify

#endif  // LIB_WIRE_CHAP_H_
