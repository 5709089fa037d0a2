// The header in front of the data of each datagram between a client and a server's UDP relay,
// RFC 1928 section 7:
//
//   +-----+------+------+----------+----------+----------+
//   | RSV | FRAG | ATYP | DST.ADDR | DST.PORT |   DATA   |
//   +-----+------+------+----------+----------+----------+
//   |  2  |  1   |  1   | Variable |    2     | Variable |
//   +-----+------+------+----------+----------+----------+
//
// Where the data go to, or come from. The overhead is 10 octets for IPv4, 22 for IPv6, 7 and the
// name's own for a name. No fragments: FRAG is 0.
#ifndef LIB_WIRE_DATAGRAM_H_
#define LIB_WIRE_DATAGRAM_H_

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/address.h"

namespace socksify {

inline constexpr size_t kMaxUdpPayload = 65507;  // over IPv4: 65535 less both headers

Status DatagramTooLarge(size_t size);  // kUnsupported

struct DatagramHead {
  Address address;
  size_t size = 0;  // of the header: the data follow
};

// kNameTooLong and kMalformed as AppendAddress().
Status AppendDatagramHead(Bytes& to, const Address& address);

// kMalformed: too short, RSV, ATYP, address. kUnsupported: a fragment. Data may be empty.
Result<DatagramHead> ParseDatagramHead(ByteView datagram);

// How long AppendDatagramHead() makes it.
size_t DatagramHeadSize(const Address& address);

}  // namespace socksify

#endif  // LIB_WIRE_DATAGRAM_H_
