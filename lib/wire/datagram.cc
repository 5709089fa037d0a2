#include "lib/wire/datagram.h"

#include <string>
#include <utility>

namespace socksify {
namespace {

constexpr size_t kFixedSize = 4;  // RSV FRAG ATYP

}  // namespace

Status DatagramTooLarge(size_t size) {
  return {Errc::kUnsupported, "a datagram cannot hold " + std::to_string(size) + " octets"};
}

Status AppendDatagramHead(Bytes& to, const Address& address) {
  to.insert(to.end(), {0x00, 0x00, 0x00});
  return AppendAddress(to, address);
}

Result<DatagramHead> ParseDatagramHead(ByteView datagram) {
  Cursor cursor(datagram);
  const uint16_t reserved = cursor.U16();
  const uint8_t fragment = cursor.U8();
  auto address = ReadAddress(cursor);
  if (!address.ok()) return address.status();
  if (!cursor.ok()) return {Errc::kMalformed, "a datagram is shorter than its header"};
  if (reserved != 0) return {Errc::kMalformed, "RSV of a datagram is not zero"};
  if (fragment != 0) return {Errc::kUnsupported, "fragments of datagrams are not put together"};
  return DatagramHead{std::move(*address), datagram.size() - cursor.remaining()};
}

size_t DatagramHeadSize(const Address& address) {
  const bool is_name = address.type == AddressType::kName;
  const size_t host = is_name ? 1 + address.name.size() : address.ip_octets().size();
  return kFixedSize + host + 2;
}

}  // namespace socksify
