#include "lib/wire/frame.h"

#include <gtest/gtest.h>

#include "tests/unit/cut.h"

namespace socksify {
namespace {

TEST(FrameTest, HeaderIsVersionTypeLength) {
  uint8_t header[kFrameHeaderSize];
  WriteFrameHeader(header, static_cast<uint8_t>(MessageType::kAuthentication), 0x02d8);
  EXPECT_EQ(Hex(header), "010102d8");
  WriteFrameHeader(header, static_cast<uint8_t>(MessageType::kUserData), 65535);
  EXPECT_EQ(Hex(header), "0103ffff");
}

TEST(FrameTest, CutAtEveryOctet) {
  const Bytes frame = B({1, 3, 0, 3, 0xaa, 0xbb, 0xcc});
  for (size_t cut = 0; cut <= frame.size(); cut++) {
    const Bytes prefix(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(cut));
    Result<FrameHead> head = ParseFrameHead(prefix);
    ASSERT_TRUE(head.ok());
    if (cut < kFrameHeaderSize) {
      EXPECT_EQ(head->size, 0u);
      // Two octets tell an abort apart; only then the rest of the header may be waited for.
      EXPECT_EQ(cut + head->missing, cut < 2 ? 2u : kFrameHeaderSize);
    } else {
      EXPECT_EQ(head->size, frame.size());
      EXPECT_EQ(head->missing, 0u);
      EXPECT_EQ(head->type, 3);
    }
  }
}

TEST(FrameTest, EveryLength) {
  for (size_t length = 0; length <= kMaxTokenSize; length++) {
    uint8_t header[kFrameHeaderSize];
    WriteFrameHeader(header, 2, static_cast<uint16_t>(length));
    Result<FrameHead> head = ParseFrameHead(header);
    ASSERT_TRUE(head.ok());
    ASSERT_EQ(head->size, kFrameHeaderSize + length);
  }
}

TEST(FrameTest, AbortHasTwoOctets) {
  for (const Bytes& octets : {B({1, 0xff}), B({1, 0xff, 0}), B({1, 0xff, 0xff, 0xff, 0xff})}) {
    Result<FrameHead> head = ParseFrameHead(octets);
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->size, 2u);
    EXPECT_EQ(head->type, static_cast<uint8_t>(MessageType::kAbort));
  }
}

TEST(FrameTest, OnlyVersionOneAtTheFirstOctet) {
  for (int version = 0; version < 256; version++) {
    for (size_t length : {1u, 2u, 4u, 9u}) {
      Bytes octets(length, 0);
      octets[0] = static_cast<uint8_t>(version);
      Result<FrameHead> head = ParseFrameHead(octets);
      EXPECT_EQ(head.ok(), version == 1);
      EXPECT_EQ(head.status().code(), version == 1 ? Errc::kOk : Errc::kMalformed);
    }
  }
}

TEST(FrameTest, TypesAreNotJudgedHere) {
  for (int type = 0; type < 255; type++) {
    Result<FrameHead> head = ParseFrameHead(B({1, type, 0, 1}));
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->type, type);
    EXPECT_EQ(head->size, 5u);
  }
}

}  // namespace
}  // namespace socksify
