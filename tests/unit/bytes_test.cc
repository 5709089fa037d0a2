#include "lib/base/bytes.h"

#include <gtest/gtest.h>

#include "lib/base/secret.h"
#include "tests/unit/cut.h"

namespace socksify {
namespace {

TEST(CursorTest, ReadsInNetworkOrder) {
  const Bytes octets = B({0x01, 0x02, 0x03, 0x04, 0x05});
  Cursor cursor(octets);
  EXPECT_EQ(cursor.U8(), 0x01);
  EXPECT_EQ(cursor.U16(), 0x0203);
  EXPECT_EQ(cursor.remaining(), 2u);
  EXPECT_EQ(Hex(cursor.Take(2)), "0405");
  EXPECT_EQ(cursor.remaining(), 0u);
  EXPECT_TRUE(cursor.ok());
}

TEST(CursorTest, AShortReadIsSticky) {
  const Bytes octets = B({0xff, 0xff, 0xff});
  Cursor cursor(octets);
  EXPECT_TRUE(cursor.Take(4).empty());
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.U8(), 0);
  EXPECT_EQ(cursor.U16(), 0);
  EXPECT_TRUE(cursor.Take(0).empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(CursorTest, HugeCountsAreShortReads) {
  const Bytes octets = B({1});
  Cursor cursor(octets);
  EXPECT_TRUE(cursor.Take(SIZE_MAX).empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(CursorTest, HalfAU16IsAShortRead) {
  const Bytes octets = B({0x12});
  Cursor cursor(octets);
  EXPECT_EQ(cursor.U16(), 0);
  EXPECT_FALSE(cursor.ok());
}

TEST(BytesTest, AppendU16IsNetworkOrder) {
  Bytes octets;
  AppendU16(octets, 0x1234);
  AppendU16(octets, 0xffff);
  AppendU16(octets, 0);
  EXPECT_EQ(Hex(octets), "1234ffff0000");
}

TEST(BytesTest, HexShowsEveryOctet) {
  for (int value = 0; value < 256; value++) {
    char expected[3];
    snprintf(expected, sizeof expected, "%02x", value);
    EXPECT_EQ(Hex(B({value})), expected);
  }
  EXPECT_EQ(Hex({}), "");
}

TEST(BytesTest, WipeOverwrites) {
  Bytes octets = B({1, 2, 3});
  Wipe(octets);
  EXPECT_EQ(octets, B({0, 0, 0}));
  Wipe({});
}

TEST(SecretTest, CopiesAreDeepAndMovesEmptyTheSource) {
  Secret original("sesame");
  Secret copy = original;
  EXPECT_EQ(copy.text(), "sesame");
  EXPECT_NE(copy.octets().data(), original.octets().data());
  Secret moved = std::move(original);
  EXPECT_EQ(moved.text(), "sesame");
  EXPECT_TRUE(original.empty());  // NOLINT: what a move leaves is part of the contract
  copy = Secret("other");
  EXPECT_EQ(copy.text(), "other");
}

}  // namespace
}  // namespace socksify
