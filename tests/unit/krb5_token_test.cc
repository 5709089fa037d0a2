// Wrap tokens of RFC 4121 octet by octet: layout, and everything that could be done to them on
// their way. No realm: the keys are made up.
#include "lib/security/krb5_token.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lib/security/krb5_session.h"
#include "tests/unit/krb5_octets.h"

namespace socksify {
namespace {

constexpr uint64_t kNumber = 0x0102030405060708;
constexpr size_t kHeader = 16;

struct Case {
  int enctype;
  bool confidential;
  bool from_initiator;
  bool acceptor_subkey;
};

Krb5Context Context(const Case& c, bool initiator) {
  const Krb5Enctype* enctype = FindKrb5Enctype(c.enctype);
  return {enctype, Secret(std::string(enctype->key_size, 'k')), initiator, c.acceptor_subkey, true};
}

class Krb5TokenTest : public ::testing::Test {
 protected:
  // With every enctype, level, direction and key.
  template <typename Try>
  static void Everywhere(Try attempt) {
    for (int enctype : kFastEnctypes) {
      for (int choice = 0; choice < 8; choice++) {
        const Case c = {enctype, (choice & 1) != 0, (choice & 2) != 0, (choice & 4) != 0};
        SCOPED_TRACE(std::to_string(enctype) + (c.confidential ? ", confidential" : "") +
                     (c.from_initiator ? ", initiator's" : ", acceptor's") +
                     (c.acceptor_subkey ? ", acceptor's key" : ""));
        attempt(c);
      }
    }
  }

  static Bytes Sealed(const Case& c, ByteView plain, uint64_t number = kNumber) {
    const Krb5Context context = Context(c, c.from_initiator);
    TokenSealer sealer(context);
    Bytes token;
    EXPECT_TRUE(sealer.Seal(context, c.confidential, number, plain, &token).ok());
    return token;
  }

  // What a peer makes of the token; an error as "!".
  static std::string Opened(const Case& c, Bytes token) {
    const Krb5Context context = Context(c, !c.from_initiator);
    TokenOpener opener(context);
    auto opened = opener.Open(context, token);
    if (!opened.ok()) {
      EXPECT_EQ(opened.status().code(), Errc::kIntegrity);
      return "!";
    }
    EXPECT_EQ(opened->number, kNumber);
    EXPECT_EQ(opened->confidential, c.confidential);
    return std::string(AsText(opened->plain));
  }
};

TEST_F(Krb5TokenTest, Layout) {
  Everywhere([](const Case& c) {
    const size_t tag_size = FindKrb5Enctype(c.enctype)->tag_size;
    const Bytes token = Sealed(c, AsBytes("data"));
    EXPECT_EQ(token.size(), 4 + kHeader + (c.confidential ? 32 : 0) + tag_size);
    EXPECT_EQ(token.size(), 4 + WrapTokenOverhead(*FindKrb5Enctype(c.enctype), c.confidential));
    const auto flags = static_cast<uint8_t>((c.from_initiator ? 0 : 1) | (c.confidential ? 2 : 0) |
                                            (c.acceptor_subkey ? 4 : 0));
    Bytes header = {5, 4, flags, 0xff, 0, static_cast<uint8_t>(c.confidential ? 0 : tag_size),
                    0, 0};
    Append(header, Bytes{1, 2, 3, 4, 5, 6, 7, 8});
    EXPECT_TRUE(std::ranges::equal(ByteView(token).first(kHeader), header));
    EXPECT_EQ(AsText(ByteView(token).subspan(kHeader, 4)) == "data", !c.confidential);
    EXPECT_TRUE(IsWrapToken(token));
    EXPECT_EQ(WrapTokenNumber(token), kNumber);
    EXPECT_EQ(Opened(c, token), "data");
  });
}

TEST_F(Krb5TokenTest, NoTwoAreTheSame) {
  Everywhere([](const Case& c) {
    EXPECT_EQ(Sealed(c, AsBytes("data")) == Sealed(c, AsBytes("data")), !c.confidential);
    EXPECT_NE(Sealed(c, AsBytes("data"), 1), Sealed(c, AsBytes("data"), 2));
  });
}

TEST_F(Krb5TokenTest, EveryBitThatIsAlteredIsNoticed) {
  Everywhere([](const Case& c) {
    const Bytes token = Sealed(c, AsBytes("some data"));
    for (size_t bit = 0; bit < token.size() * 8; bit++) {
      Bytes altered = token;
      altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const std::string opened = Opened(c, altered);
      // A token can be turned by its own length, which says nothing else.
      const bool rotation = bit / 8 == 6 || bit / 8 == 7;
      if (rotation && opened == "some data") continue;
      ASSERT_EQ(opened, "!") << "octet " << bit / 8 << ", bit " << bit % 8;
    }
  });
}

TEST_F(Krb5TokenTest, EveryOtherLengthIsNoticed) {
  Everywhere([](const Case& c) {
    const Bytes token = Sealed(c, AsBytes("some data"));
    for (size_t size = 0; size < token.size(); size++) {
      const auto end = static_cast<ptrdiff_t>(size);
      ASSERT_EQ(Opened(c, Bytes(token.begin(), token.begin() + end)), "!") << size;
      if (size < kHeader) continue;
      Bytes without = token;  // an octet in the middle
      without.erase(without.begin() + end);
      ASSERT_EQ(Opened(c, without), "!") << size;
      Bytes with = token;
      with.insert(with.begin() + end, 0);
      ASSERT_EQ(Opened(c, with), "!") << size;
    }
    Bytes longer = token;
    longer.push_back(0);
    EXPECT_EQ(Opened(c, longer), "!");
  });
}

// RFC 4121 section 4.2.5: receivers take any rotation.
TEST_F(Krb5TokenTest, AnyRotationIsTaken) {
  Everywhere([](const Case& c) {
    const Bytes token = Sealed(c, AsBytes("some data"));
    const size_t size = token.size() - kHeader;
    for (size_t by : {size_t{1}, size_t{12}, size_t{28}, size - 1, size, size + 1, size_t{65535}}) {
      Bytes turned = token;
      turned[6] = static_cast<uint8_t>(by >> 8);
      turned[7] = static_cast<uint8_t>(by);
      std::rotate(turned.begin() + kHeader, turned.end() - static_cast<ptrdiff_t>(by % size),
                  turned.end());
      EXPECT_EQ(Opened(c, turned), "some data") << by;
      turned[7] ^= 1;
      EXPECT_EQ(Opened(c, turned), "!") << by;
    }
  });
}

TEST_F(Krb5TokenTest, AnyExtraCountIsNoticed) {
  Everywhere([](const Case& c) {
    const Bytes token = Sealed(c, AsBytes("some data"));
    for (size_t count = 0; count < 65536; count += count < 100 ? 1 : 997) {
      Bytes lying = token;
      lying[4] = static_cast<uint8_t>(count >> 8);
      lying[5] = static_cast<uint8_t>(count);
      ASSERT_EQ(Opened(c, lying), lying == token ? "some data" : "!") << count;
    }
  });
}

// Filler that the sender really has put behind the data (section 4.2.4), and one that claims more.
TEST_F(Krb5TokenTest, FillerIsTakenOff) {
  Everywhere([](const Case& c) {
    if (!c.confidential) return;
    const Krb5Context context = Context(c, c.from_initiator);
    for (size_t extra : {0u, 1u, 9u, 13u, 14u, 30u, 65535u}) {
      Bytes header = {
          5,
          4,
          static_cast<uint8_t>((c.from_initiator ? 0 : 1) | 2 | (c.acceptor_subkey ? 4 : 0)),
          0xff,
          static_cast<uint8_t>(extra >> 8),
          static_cast<uint8_t>(extra),
          0,
          0};
      Append(header, Bytes{1, 2, 3, 4, 5, 6, 7, 8});
      Bytes body(kAesBlockSize, 'r');
      Append(body, AsBytes("data...filler"));
      Append(body, header);
      Bytes tag(context.enctype->tag_size);
      Krb5DirectionKeys keys(c.from_initiator);
      ASSERT_TRUE(keys.Cipher(context)->Encrypt(body, tag.data()));
      Bytes token = header;
      Append(token, body);
      Append(token, tag);
      EXPECT_EQ(Opened(c, token),
                extra <= 13 ? std::string("data...filler").substr(0, 13 - extra) : "!");
    }
  });
}

TEST_F(Krb5TokenTest, OurOwnAndThoseOfOtherKeysAreRefused) {
  Everywhere([](const Case& c) {
    const Bytes token = Sealed(c, AsBytes("some data"));
    Case other = c;
    other.from_initiator = !c.from_initiator;
    EXPECT_EQ(Opened(other, token), "!");
    other = c;
    other.acceptor_subkey = !c.acceptor_subkey;
    EXPECT_EQ(Opened(other, token), "!");
    Krb5Context context = Context(c, !c.from_initiator);
    context.key = Secret(std::string(context.enctype->key_size, 'o'));
    Bytes copy = token;
    EXPECT_FALSE(TokenOpener(context).Open(context, copy).ok());
  });
}

TEST_F(Krb5TokenTest, EverySizeInASession) {
  Everywhere([](const Case& c) {
    Krb5Session from(Context(c, c.from_initiator), kNumber, 0);
    Krb5Session to(Context(c, !c.from_initiator), 0, kNumber);
    Dice dice(7);
    const Bytes all = dice.Octets(2000);
    for (size_t size = 0; size < all.size(); size += size < 300 ? 1 : 37) {
      Bytes token = {'k', 'e', 'p', 't'};
      ASSERT_TRUE(from.Seal(c.confidential, ByteView(all).first(size), &token).ok());
      EXPECT_EQ(AsText(ByteView(token).first(4)), "kept");
      ASSERT_EQ(token.size(), 4 + size + from.Overhead(c.confidential));
      auto opened = to.Open(Krb5Session::Order::kStrict, ByteSpan(token).subspan(4));
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      ASSERT_TRUE(std::ranges::equal(opened->plain, ByteView(all).first(size)));
    }
  });
}

// Two at a time is the same as one after the other: what is good, what is not, and what it is.
TEST_F(Krb5TokenTest, TwoThatAreExpected) {
  Everywhere([](const Case& c) {
    Dice dice(8);
    const Bytes all = dice.Octets(3000);
    const size_t sizes[] = {0, 1, 15, 16, 17, 95, 96, 97, 128, 300, 3000};
    for (size_t one : sizes) {
      for (size_t other : sizes) {
        Krb5Session from(Context(c, c.from_initiator), kNumber, 0);
        Krb5Session to(Context(c, !c.from_initiator), 0, kNumber);
        Bytes first, second, third;
        ASSERT_TRUE(from.Seal(c.confidential, ByteView(all).first(one), &first).ok());
        ASSERT_TRUE(from.Seal(c.confidential, ByteView(all).last(other), &second).ok());
        ASSERT_TRUE(from.Seal(c.confidential, all, &third).ok());
        to.Expect(first, second);
        auto opened = to.Open(Krb5Session::Order::kStrict, first);
        ASSERT_TRUE(opened.ok()) << opened.status().message();
        EXPECT_TRUE(std::ranges::equal(opened->plain, ByteView(all).first(one)));
        EXPECT_EQ(opened->confidential, c.confidential);
        to.Expect(second, third);  // whoever has more may say so again
        for (Bytes* token : {&second, &third}) {
          opened = to.Open(Krb5Session::Order::kStrict, *token);
          ASSERT_TRUE(opened.ok()) << opened.status().message();
          EXPECT_TRUE(std::ranges::equal(
              opened->plain, token == &second ? ByteView(all).last(other) : ByteView(all)));
        }
      }
    }
  });
}

TEST_F(Krb5TokenTest, OfTwoThatAreExpectedEachIsJudgedByItself) {
  Everywhere([](const Case& c) {
    const Bytes good[] = {Sealed(c, AsBytes("first"), kNumber),
                          Sealed(c, AsBytes("second"), kNumber + 1)};
    for (size_t at = 0; at < good[0].size() * 2; at++) {
      Krb5Session to(Context(c, !c.from_initiator), 0, kNumber);
      Bytes first = good[0], second = good[1];
      const bool in_first = at < first.size();
      (in_first ? first : second)[in_first ? at : at % second.size()] ^= 0x10;
      to.Expect(first, second);
      const bool one = to.Open(Krb5Session::Order::kStrict, first).ok();
      const bool other = to.Open(Krb5Session::Order::kStrict, second).ok();
      // Where the first is refused the second is not the next one either.
      EXPECT_EQ(one, !in_first) << at;
      EXPECT_FALSE(other) << at;
    }
    Krb5Session to(Context(c, !c.from_initiator), 0, kNumber);
    Bytes first = good[0], second = good[1];
    to.Expect(second, first);  // in the wrong order
    EXPECT_FALSE(to.Open(Krb5Session::Order::kStrict, second).ok());
    EXPECT_TRUE(to.Open(Krb5Session::Order::kStrict, first).ok());
  });
}

TEST_F(Krb5TokenTest, WhatWasExpectedIsWhatIsOpened) {
  const Case c = {18, true, true, true};
  Krb5Session to(Context(c, false), 0, kNumber);
  Bytes first = Sealed(c, AsBytes("first"), kNumber);
  Bytes second = Sealed(c, AsBytes("second"), kNumber + 1), same = second;
  to.Expect(first, second);
  EXPECT_TRUE(to.Open(Krb5Session::Order::kStrict, first).ok());
  EXPECT_EQ(to.Open(Krb5Session::Order::kStrict, same).status().code(), Errc::kIntegrity);
  EXPECT_FALSE(to.Open(Krb5Session::Order::kStrict, second).ok());  // no token any more
}

// The session that goes on elsewhere opens what was expected here, and not opened.
TEST_F(Krb5TokenTest, WhatIsExpectedHasNotBeenTaken) {
  const Case c = {18, true, true, true};
  Krb5Session to(Context(c, false), 0, kNumber);
  Bytes first = Sealed(c, AsBytes("first"), kNumber);
  const Bytes second = Sealed(c, AsBytes("second"), kNumber + 1);
  Bytes here = second, there = second;
  to.Expect(first, here);
  EXPECT_TRUE(to.Open(Krb5Session::Order::kStrict, first).ok());
  auto elsewhere = Krb5Session::Import(to.Export());
  ASSERT_NE(elsewhere, nullptr);
  auto opened = elsewhere->Open(Krb5Session::Order::kStrict, there);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(AsText(opened->plain), "second");
}

TEST_F(Krb5TokenTest, NumbersEndAroundTheHighest) {
  const Case c = {18, true, true, true};
  Krb5Session from(Context(c, true), UINT64_MAX, 0), to(Context(c, false), 0, UINT64_MAX);
  for (int i = 0; i < 3; i++) {
    Bytes token;
    ASSERT_TRUE(from.Seal(true, AsBytes("data"), &token).ok());
    EXPECT_TRUE(to.Open(Krb5Session::Order::kStrict, token).ok());
  }
}

}  // namespace
}  // namespace socksify
