// Numbers of tokens: which may come when.
#include "lib/security/krb5_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/krb5_octets.h"

namespace socksify {
namespace {

using Place = ReceiveWindow::Place;
constexpr uint64_t kSize = ReceiveWindow::kSize;

// Takes the number if that is possible at all.
Place Come(ReceiveWindow& window, uint64_t number) {
  const Place place = window.Find(number);
  if (place != Place::kDuplicate && place != Place::kOld) window.Take(number);
  return place;
}

TEST(ReceiveWindowTest, OneAfterTheOther) {
  for (uint64_t first : {uint64_t{0}, uint64_t{1} << 30, UINT64_MAX - 3}) {  // around the end, too
    ReceiveWindow window(first);
    for (uint64_t i = 0; i < 3 * kSize; i++) {
      ASSERT_EQ(window.next(), first + i);
      ASSERT_EQ(Come(window, first + i), Place::kNext);
      ASSERT_EQ(Come(window, first + i), Place::kDuplicate);
    }
  }
}

TEST(ReceiveWindowTest, WhatIsBeforeTheFirstHasCome) {
  for (uint64_t first : {uint64_t{0}, uint64_t{5}, uint64_t{1} << 40}) {
    ReceiveWindow window(first);
    EXPECT_EQ(window.Find(first - 1), Place::kDuplicate);
    EXPECT_EQ(window.Find(first - kSize), Place::kDuplicate);
    EXPECT_EQ(window.Find(first - kSize - 1), Place::kOld);
    EXPECT_EQ(window.Find(first - UINT64_MAX / 2), Place::kOld);
    EXPECT_EQ(window.Find(first + 1), Place::kAhead);
    EXPECT_EQ(window.Find(first + UINT64_MAX / 2), Place::kAhead);
  }
}

TEST(ReceiveWindowTest, GapsFillUpOnceInAnyOrder) {
  ReceiveWindow window(7);
  EXPECT_EQ(Come(window, 6 + kSize), Place::kAhead);
  for (uint64_t number = 6 + kSize; number-- > 8;) {
    ASSERT_EQ(Come(window, number), Place::kBehind);
    ASSERT_EQ(Come(window, number), Place::kDuplicate);
  }
  EXPECT_EQ(window.Find(7), Place::kBehind);  // the last that is still kept in mind
  EXPECT_EQ(Come(window, 7 + kSize), Place::kNext);
  EXPECT_EQ(window.Find(7), Place::kOld);
}

TEST(ReceiveWindowTest, AnyLeapForgetsWhatItShould) {
  for (uint64_t leap : {uint64_t{1}, uint64_t{2}, uint64_t{63}, uint64_t{64}, uint64_t{65},
                        kSize - 1, kSize, kSize + 1, 2 * kSize, uint64_t{1} << 62}) {
    SCOPED_TRACE(leap);
    ReceiveWindow window(100);
    for (uint64_t i = 0; i < 10; i++) ASSERT_EQ(Come(window, 100 + i), Place::kNext);
    ASSERT_EQ(Come(window, 110 + leap), Place::kAhead);
    EXPECT_EQ(window.next(), 111 + leap);
    EXPECT_EQ(window.Find(110 + leap), Place::kDuplicate);
    EXPECT_EQ(window.Find(110 + leap - 1), Place::kBehind);
    EXPECT_EQ(window.Find(109), leap + 2 > kSize ? Place::kOld : Place::kDuplicate);
  }
}

// Beside a set of all that has come.
TEST(ReceiveWindowTest, AtRandom) {
  Dice dice(1);
  for (uint64_t base : {uint64_t{0}, UINT64_MAX - 2000}) {
    ReceiveWindow window(base);
    std::set<uint64_t> seen;
    uint64_t next = 0;  // relative to base
    for (int i = 0; i < 200000; i++) {
      const uint64_t reach = dice.UpTo(99) == 0 ? 3 * kSize : 40;
      const uint64_t number = next + dice.UpTo(reach) - std::min(next, dice.UpTo(reach) * 2);
      const Place place = Come(window, base + number);
      const Place expected = number == next          ? Place::kNext
                             : number > next         ? Place::kAhead
                             : next - number > kSize ? Place::kOld
                             : seen.contains(number) ? Place::kDuplicate
                                                     : Place::kBehind;
      ASSERT_EQ(place, expected) << number << " where " << next << " is next";
      if (place != Place::kDuplicate && place != Place::kOld) seen.insert(number);
      next = std::max(next, number + 1);
    }
  }
}

}  // namespace
}  // namespace socksify
