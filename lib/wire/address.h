// The address of a SOCKS request, reply or datagram: ATYP, address, port (RFC 1928 section 5).
#ifndef LIB_WIRE_ADDRESS_H_
#define LIB_WIRE_ADDRESS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace socksify {

inline constexpr size_t kMaxNameLength = 255;  // one length octet

enum class AddressType : uint8_t { kIpv4 = 0x01, kName = 0x03, kIpv6 = 0x04 };

struct Address {
  AddressType type = AddressType::kIpv4;
  std::array<uint8_t, 16> ip = {};  // network order; the first 4 octets for IPv4; unused for a name
  std::string name;                 // 1 to 255 octets for kName, else empty
  uint16_t port = 0;                // host order

  static Address Ipv4(std::array<uint8_t, 4> ip, uint16_t port);
  // A v4-mapped address (::ffff:a.b.c.d) becomes the IPv4 address it stands for.
  static Address Ipv6(std::array<uint8_t, 16> ip, uint16_t port);
  static Address Name(std::string_view name, uint16_t port);

  ByteView ip_octets() const { return {ip.data(), type == AddressType::kIpv4 ? 4u : 16u}; }
  bool IsUnspecified() const;    // 0.0.0.0 or ::
  std::string Host() const;      // "192.0.2.1", "2001:db8::1", "example.com"
  std::string ToString() const;  // "192.0.2.1:80", "[2001:db8::1]:80", "example.com:80"

  bool operator==(const Address&) const = default;
};

// Appends ATYP ADDR PORT. kNameTooLong for a name over 255 octets, kMalformed for an empty one.
Status AppendAddress(Bytes& to, const Address& address);

// Reads ATYP ADDR PORT. Not enough octets: cursor.ok() is false and the result is to be ignored.
// kMalformed for an unknown ATYP, an empty name or a name that holds a NUL.
Result<Address> ReadAddress(Cursor& cursor);

// How long ATYP ADDR PORT is, judged by its first octets (`head` starts at ATYP):
// 0 while too few octets are there to know. kMalformed for an unknown ATYP.
Result<size_t> AddressSize(ByteView head);

}  // namespace socksify

#endif  // LIB_WIRE_ADDRESS_H_
