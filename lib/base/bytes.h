// Octets: the vocabulary of every layer above.
#ifndef LIB_BASE_BYTES_H_
#define LIB_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace socksify {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;  // borrowed; valid as long as its owner says
using ByteSpan = std::span<uint8_t>;        // borrowed, writable

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view AsText(ByteView octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

inline void Append(Bytes& to, ByteView octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}

inline void AppendU16(Bytes& to, uint16_t value) {  // network order
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

// A reader over borrowed octets that checks every length before use. After the first short read
// `ok()` is false and stays so, and every further read returns zeroes or empty views.
class Cursor {
 public:
  explicit Cursor(ByteView octets) : rest_(octets) {}

  bool ok() const { return ok_; }
  size_t remaining() const { return rest_.size(); }

  uint8_t U8() {
    ByteView octet = Take(1);
    return octet.empty() ? 0 : octet[0];
  }

  uint16_t U16() {  // network order
    ByteView octets = Take(2);
    return octets.empty() ? 0 : static_cast<uint16_t>(octets[0] << 8 | octets[1]);
  }

  ByteView Take(size_t count) {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

// Octets as lower-case hex, two digits each, no separators.
std::string Hex(ByteView octets);

// Overwrites the octets in a way the compiler cannot drop.
void Wipe(ByteSpan octets);

}  // namespace socksify

#endif  // LIB_BASE_BYTES_H_
