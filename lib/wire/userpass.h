// Username/password sub-negotiation, RFC 1929 section 2. Same conventions as socks5.h.
#ifndef LIB_WIRE_USERPASS_H_
#define LIB_WIRE_USERPASS_H_

#include <string>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/base/secret.h"
#include "lib/wire/socks5.h"

namespace socksify {

inline constexpr uint8_t kUserpassVersion = 0x01;
inline constexpr uint8_t kUserpassSuccess = 0x00;

struct UserpassRequest {  // VER ULEN UNAME PLEN PASSWD
  std::string user;
  Secret password;
};
// kConfig when the user or the password is empty or longer than 255 octets.
Status AppendUserpassRequest(Bytes& to, const UserpassRequest& request);
Result<Parsed<UserpassRequest>> ParseUserpassRequest(
    ByteView octets);  // kMalformed: VER, a length 0

struct UserpassReply {  // VER STATUS
  uint8_t status = 0xff;
};
void AppendUserpassReply(Bytes& to, UserpassReply reply);
Result<Parsed<UserpassReply>> ParseUserpassReply(ByteView octets);  // kMalformed: VER

}  // namespace socksify

#endif  // LIB_WIRE_USERPASS_H_
