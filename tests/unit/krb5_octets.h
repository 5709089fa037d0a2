// Octets for the tests of Kerberos messages: from hexadecimal digits, and at random.
#ifndef TESTS_UNIT_KRB5_OCTETS_H_
#define TESTS_UNIT_KRB5_OCTETS_H_

#include <algorithm>
#include <random>
#include <string>

#include "lib/base/bytes.h"

namespace socksify {

inline constexpr int kFastEnctypes[] = {17, 18, 19, 20};

inline Bytes Octets(const std::string& hex) {
  Bytes octets;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return octets;
}

// The same on every run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}

  size_t UpTo(size_t most) { return std::uniform_int_distribution<size_t>(0, most)(engine_); }
  bool Coin() { return (engine_() & 1) != 0; }
  Bytes Octets(size_t size) {
    Bytes octets(size);
    for (uint8_t& octet : octets) octet = static_cast<uint8_t>(engine_());
    return octets;
  }
  // Sizes of messages: small ones as often as large ones.
  size_t Size(size_t most) {
    const size_t bound = size_t{1} << UpTo(16);
    return std::min(most, UpTo(bound));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace socksify

#endif  // TESTS_UNIT_KRB5_OCTETS_H_
