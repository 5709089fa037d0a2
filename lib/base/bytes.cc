#include "lib/base/bytes.h"

#include <cstring>

namespace socksify {

std::string Hex(ByteView octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(octets.size() * 2);
  for (uint8_t octet : octets) {
    hex.push_back(kDigits[octet >> 4]);
    hex.push_back(kDigits[octet & 15]);
  }
  return hex;
}

void Wipe(ByteSpan octets) {
  if (!octets.empty()) explicit_bzero(octets.data(), octets.size());  // null is not for it
}

}  // namespace socksify
