// What the fuzzers have in common.
#ifndef TESTS_FUZZ_FUZZ_H_
#define TESTS_FUZZ_FUZZ_H_

#include <algorithm>
#include <cstdlib>

#include "lib/base/bytes.h"

// What must hold whatever the octets are.
#define FUZZ_CHECK(condition) ((condition) ? void() : abort())

namespace socksify {

// Deals the fuzzer's octets: small choices from the front, and the rest in pieces whose sizes are
// octets of it, too.
class Dealer {
 public:
  Dealer(const uint8_t* octets, size_t count) : rest_(octets, count) {}

  uint8_t Octet() {
    if (rest_.empty()) return 0;
    const uint8_t octet = rest_[0];
    rest_ = rest_.subspan(1);
    return octet;
  }
  bool empty() const { return rest_.empty(); }

  // A copy of its own, so that a sanitizer sees a read past its end.
  Bytes Piece(size_t most) {
    const size_t count = std::min({most, rest_.size(), size_t{Octet()} + 1});
    return Take(count);
  }
  Bytes Rest() { return Take(rest_.size()); }

 private:
  Bytes Take(size_t count) {
    count = std::min(count, rest_.size());
    Bytes piece(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(count));
    rest_ = rest_.subspan(count);
    return piece;
  }

  ByteView rest_;
};

}  // namespace socksify

#endif  // TESTS_FUZZ_FUZZ_H_
