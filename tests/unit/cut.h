// Helpers that show a codec its octets in every possible portion.
#ifndef TESTS_UNIT_CUT_H_
#define TESTS_UNIT_CUT_H_

#include <gtest/gtest.h>

#include <initializer_list>

#include "lib/base/bytes.h"

namespace socksify {

inline Bytes B(std::initializer_list<int> octets) {
  Bytes bytes;
  for (int octet : octets) bytes.push_back(static_cast<uint8_t>(octet));
  return bytes;
}

// Parses every proper prefix of `message`: each must ask for more, by at least one octet, and never
// beyond the message's end. The whole of it must be complete, with or without octets behind it.
// Each prefix has its own allocation, so that a sanitizer sees a read past its end.
template <typename Parse>
void ExpectCutsWell(const Bytes& message, Parse parse) {
  for (size_t cut = 0; cut < message.size(); cut++) {
    SCOPED_TRACE(cut);
    const Bytes prefix(message.begin(), message.begin() + static_cast<ptrdiff_t>(cut));
    auto parsed = parse(ByteView(prefix));
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(parsed->size, 0u);
    EXPECT_GE(parsed->missing, 1u);
    EXPECT_LE(cut + parsed->missing, message.size());
  }
  Bytes octets = message;
  for (int extra = 0; extra < 3; extra++) {
    auto parsed = parse(ByteView(octets));
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(parsed->size, message.size());
    octets.push_back(0x05);
  }
}

}  // namespace socksify

#endif  // TESTS_UNIT_CUT_H_
