// Sealing and opening under real Kerberos contexts: sizes, and everything that an attacker on the
// wire could do to the frames (RFC 1961 section 5, protocol.md section 1).
#include "lib/security/gss_protection.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;

constexpr size_t kIntegrityOverhead = 28;  // of RFC 4121 tokens with aes256-cts-hmac-sha1-96
constexpr size_t kConfidentialityOverhead = 60;

size_t Overhead(Level level) {
  return level == Level::kIntegrity ? kIntegrityOverhead : kConfidentialityOverhead;
}

Bytes Pattern(size_t size) {
  Bytes octets(size);
  for (size_t i = 0; i < size; i++) octets[i] = static_cast<uint8_t>(i * 7 + i / 256);
  return octets;
}

class GssProtectionTest : public RealmTest {
 protected:
  // Opens a copy, so that a test can use the frame again.
  static Status Opens(SecurityLayer& layer, Bytes frame, ByteView expected) {
    auto size = layer.FrameSize(frame);
    if (!size.ok()) return size.status();
    if (*size != frame.size()) return {Errc::kTruncated, "another size"};
    auto plain = layer.Open(frame);
    if (!plain.ok()) return plain.status();
    EXPECT_TRUE(std::ranges::equal(*plain, expected));
    return {};
  }
};

TEST_F(GssProtectionTest, EveryBoundaryOfSizeInBothDirections) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}) {
    auto pair = EstablishedPair(level);
    const size_t most = pair->client.layer->MaxPlaintext();
    EXPECT_EQ(most, kMaxTokenSize - Overhead(level));  // 65507 and 65475
    std::vector<size_t> sizes = {15,   16,   17,    255,   256,      257,
                                 4095, 4096, 16384, 32768, most - 1, most};
    for (size_t size = 1; size < 66; size++) sizes.push_back(size);
    for (size_t size : sizes) {
      SCOPED_TRACE(size);
      const Bytes plain = Pattern(size);
      SecurityLayer* from = pair->client.layer.get();
      SecurityLayer* to = pair->server.layer.get();
      for (int direction = 0; direction < 2; direction++, std::swap(from, to)) {
        const Bytes frame = Sealed(*from, plain);
        EXPECT_EQ(frame.size(), kFrameHeaderSize + size + Overhead(level));
        EXPECT_GE(frame.size(), from->MinFrameSize());
        EXPECT_LE(frame.size(), kMaxFrameSize);
        EXPECT_TRUE(Opens(*to, frame, plain).ok());
      }
    }
  }
}

TEST_F(GssProtectionTest, NoFrameWithPlaintextIsShorterThanTheMinimum) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    auto pair = EstablishedPair(level);
    // A peer may protect more than was agreed, so the least is that of integrity at either level.
    EXPECT_EQ(pair->client.layer->MinFrameSize(), kFrameHeaderSize + kIntegrityOverhead + 1);
    EXPECT_GE(Sealed(*pair->client.layer, Bytes{7}).size(), pair->client.layer->MinFrameSize());
    // But less than what was agreed is not accepted.
    EXPECT_EQ(pair->client.layer->FrameOverhead(), kFrameHeaderSize + Overhead(level));
  }
}

TEST_F(GssProtectionTest, WhatDoesNotFitAFrameIsRefusedAndSpendsNothing) {
  auto pair = EstablishedPair();
  SecurityLayer& client = *pair->client.layer;
  Bytes frame = Text("kept");
  EXPECT_EQ(client.Seal({}, &frame).code(), Errc::kUnsupported);
  EXPECT_EQ(client.Seal(Pattern(client.MaxPlaintext() + 1), &frame).code(), Errc::kUnsupported);
  EXPECT_EQ(client.Seal(Pattern(200000), &frame).code(), Errc::kUnsupported);
  EXPECT_EQ(AsText(frame), "kept");
  EXPECT_TRUE(Opens(*pair->server.layer, Sealed(client, Text("next")), Text("next")).ok());
}

TEST_F(GssProtectionTest, SealAppends) {
  auto pair = EstablishedPair();
  Bytes frames = Text("before");
  ASSERT_TRUE(pair->client.layer->Seal(Text("one"), &frames).ok());
  const size_t second = frames.size();
  ASSERT_TRUE(pair->client.layer->Seal(Text("two"), &frames).ok());
  EXPECT_EQ(AsText(ByteView(frames).first(6)), "before");
  const auto at = [&](size_t i) { return frames.begin() + static_cast<ptrdiff_t>(i); };
  EXPECT_TRUE(Opens(*pair->server.layer, Bytes(at(6), at(second)), Text("one")).ok());
  EXPECT_TRUE(Opens(*pair->server.layer, Bytes(at(second), frames.end()), Text("two")).ok());
}

TEST_F(GssProtectionTest, FramesThatThreadsSealApartAreOneStream) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    auto pair = EstablishedPair(level);
    SecurityLayer& server = *pair->server.layer;
    ApartSealer* const apart = server.apart();
    if (apart == nullptr) GTEST_SKIP() << "the library seals one after the other";
    for (size_t round = 0; round < 3; round++) {
      const size_t count = 2 + round;
      std::vector<Bytes> frames = {Sealed(server, Text("before"))}, plains = {Text("before")};
      const uint64_t place = apart->TakePlaces(count);
      frames.resize(1 + count);
      for (size_t i = 0; i < count; i++) plains.push_back(Pattern(20000 + i));
      std::vector<std::thread> threads;
      for (size_t i = count; i-- > 0;) {
        threads.emplace_back([&, i] {
          EXPECT_TRUE(apart->SealApart(place + i, i, plains[1 + i], &frames[1 + i]).ok());
        });
      }
      for (std::thread& thread : threads) thread.join();
      frames.push_back(Sealed(server, Text("behind")));
      plains.push_back(Text("behind"));
      for (size_t i = 0; i < frames.size(); i++) {
        EXPECT_TRUE(Opens(*pair->client.layer, frames[i], plains[i]).ok()) << i;
      }
      apart->ForgetLanes();
    }
    Bytes frame;
    EXPECT_EQ(apart->SealApart(apart->TakePlaces(1), 0, {}, &frame).code(), Errc::kUnsupported);
  }
}

TEST_F(GssProtectionTest, TheLongestTokenSentIsASetting) {
  constexpr size_t kSs5 = 16192;
  GssPair pair({.server_host = kRealmHost, .max_token = kSs5});
  ASSERT_TRUE(pair.Negotiate());
  const size_t most = pair.client.layer->MaxPlaintext();
  EXPECT_EQ(Sealed(*pair.client.layer, Pattern(most)).size(), kFrameHeaderSize + kSs5);
  Bytes frame;
  EXPECT_FALSE(pair.client.layer->Seal(Pattern(most + 1), &frame).ok());
  const Bytes large = Pattern(pair.server.layer->MaxPlaintext());  // what comes has no such bound
  EXPECT_TRUE(Opens(*pair.client.layer, Sealed(*pair.server.layer, large), large).ok());
}

TEST_F(GssProtectionTest, ConfidentialityHidesThePlaintextAndIntegrityDoesNot) {
  const Bytes plain = Text("the quick brown fox");
  for (Level level : {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}) {
    auto pair = EstablishedPair(level);
    const Bytes frame = Sealed(*pair->client.layer, plain);
    const bool visible =
        std::search(frame.begin(), frame.end(), plain.begin(), plain.end()) != frame.end();
    EXPECT_EQ(visible, level == Level::kIntegrity);
  }
}

TEST_F(GssProtectionTest, ReplayedMissingAndReorderedFramesAreRefused) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    auto pair = EstablishedPair(level);
    const Bytes first = Sealed(*pair->client.layer, Text("first"));
    EXPECT_TRUE(Opens(*pair->server.layer, first, Text("first")).ok());
    const Status replayed = Opens(*pair->server.layer, first, Text("first"));
    EXPECT_EQ(replayed.code(), Errc::kIntegrity);
    EXPECT_NE(replayed.message().find("duplicate"), std::string::npos) << replayed.message();

    pair = EstablishedPair(level);
    Sealed(*pair->client.layer, Text("lost"));
    const Bytes second = Sealed(*pair->client.layer, Text("second"));
    const Status gap = Opens(*pair->server.layer, second, Text("second"));
    EXPECT_EQ(gap.code(), Errc::kIntegrity);
    EXPECT_NE(gap.message().find("missing"), std::string::npos) << gap.message();

    pair = EstablishedPair(level);
    const Bytes one = Sealed(*pair->client.layer, Text("one"));
    const Bytes two = Sealed(*pair->client.layer, Text("two"));
    EXPECT_EQ(Opens(*pair->server.layer, two, Text("two")).code(), Errc::kIntegrity);
    EXPECT_EQ(Opens(*pair->server.layer, one, Text("one")).code(), Errc::kIntegrity);
  }
}

TEST_F(GssProtectionTest, FramesOfTheOtherDirectionAndOfOtherSessionsAreRefused) {
  auto pair = EstablishedPair();
  auto other = EstablishedPair();
  const Bytes own = Sealed(*pair->client.layer, Text("own"));
  EXPECT_EQ(Opens(*pair->client.layer, own, {}).code(), Errc::kIntegrity);
  EXPECT_EQ(Opens(*other->server.layer, own, {}).code(), Errc::kIntegrity);
}

// A fresh pair for each change, since the first failure is the last: every octet of the frame, each
// bit of its headers. The two octets of RRC only say how far the token is rotated (RFC 4121 section
// 4.2.5), and are changed below.
TEST_F(GssProtectionTest, EveryAlteredOctetIsRefused) {
  const Bytes plain = Text("abcdefgh");
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    const size_t size = kFrameHeaderSize + plain.size() + Overhead(level);
    for (size_t at = 0; at < size; at++) {
      const bool in_header = at < kFrameHeaderSize + 16;
      for (int bit = 0; bit < (in_header ? 8 : 1); bit++) {
        const bool rrc = at - kFrameHeaderSize == 6 || at - kFrameHeaderSize == 7;
        auto pair = EstablishedPair(level);
        Bytes frame = Sealed(*pair->client.layer, plain);
        ASSERT_EQ(frame.size(), size);
        frame[at] ^= static_cast<uint8_t>(1 << (in_header ? bit : at % 8));
        const Status status = Opens(*pair->server.layer, frame, plain);
        if (rrc && status.ok()) continue;  // rotated by nothing: the same token, the same plaintext
        EXPECT_FALSE(status.ok()) << at << " bit " << bit;
        const bool expected = at < 2   ? status.code() == Errc::kMalformed
                              : at < 4 ? status.code() == Errc::kTruncated
                                       : status.code() == Errc::kIntegrity;
        EXPECT_TRUE(expected) << at << " bit " << bit << ": " << status.message();
      }
    }
  }
}

// Shorter tokens, with a header that says so.
TEST_F(GssProtectionTest, EveryTruncationIsRefused) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    const size_t size = Overhead(level) + 8;
    for (size_t cut = 0; cut < size; cut++) {
      auto pair = EstablishedPair(level);
      const Bytes frame = Sealed(*pair->client.layer, Text("abcdefgh"));
      const Bytes token(frame.begin() + 4, frame.begin() + 4 + static_cast<ptrdiff_t>(cut));
      const Status status = Opens(*pair->server.layer, Message(3, token), {});
      EXPECT_EQ(status.code(), cut == 0 ? Errc::kMalformed : Errc::kIntegrity) << cut;
    }
    auto pair = EstablishedPair(level);
    Bytes longer = Sealed(*pair->client.layer, Text("abcdefgh"));
    longer.push_back(0);
    const Bytes token(longer.begin() + 4, longer.end());
    EXPECT_EQ(Opens(*pair->server.layer, Message(3, token), {}).code(), Errc::kIntegrity);
  }
}

// MIT 1.20 crashes at this one, which the fuzzer found: it has the TOK_ID of a MIC token of RFC
// 1964.
TEST_F(GssProtectionTest, TokensOfAnotherKindDoNotReachMit) {
  for (int second : {0x00, 0x01, 0x02, 0x04}) {
    auto pair = EstablishedPair();
    const Bytes token = {
        0x01, static_cast<uint8_t>(second), 0, 0, 0, 0, 0x2a, 0, 0, 0, 0, 0xda, 0, 0, 0x93, 0};
    EXPECT_EQ(Opens(*pair->server.layer, Message(3, token), {}).code(), Errc::kIntegrity);
  }
}

TEST_F(GssProtectionTest, TheFirstFailureIsTheLast) {
  auto pair = EstablishedPair();
  Bytes frame = Sealed(*pair->client.layer, Text("good"));
  Bytes altered = frame;
  altered.back() ^= 1;
  EXPECT_EQ(Opens(*pair->server.layer, altered, {}).code(), Errc::kIntegrity);
  EXPECT_EQ(Opens(*pair->server.layer, frame, {}).code(), Errc::kIntegrity);
  Bytes output;
  EXPECT_EQ(pair->server.layer->Seal(Text("more"), &output).code(), Errc::kIntegrity);
  EXPECT_TRUE(output.empty());
}

TEST_F(GssProtectionTest, HeadersAreJudgedAtTheFirstOctetThatIsWrong) {
  auto pair = EstablishedPair();
  SecurityLayer& layer = *pair->server.layer;
  for (size_t length = 0; length < kFrameHeaderSize; length++) {
    const Bytes head = {1, 3, 0x12, 0x34};
    auto size = layer.FrameSize(ByteView(head).first(length));
    ASSERT_TRUE(size.ok());
    EXPECT_EQ(*size, 0u);
  }
  EXPECT_EQ(*layer.FrameSize(Bytes{1, 3, 0x12, 0x34}), 0x1238u);
  EXPECT_EQ(*layer.FrameSize(Bytes{1, 3, 0xff, 0xff}), kMaxFrameSize);
  EXPECT_EQ(layer.FrameSize(Bytes{1, 3, 0, 0}).status().code(), Errc::kMalformed);  // section 5
  EXPECT_EQ(layer.FrameSize(Bytes{0}).status().code(), Errc::kMalformed);
  EXPECT_EQ(layer.FrameSize(Bytes{5, 3}).status().code(), Errc::kMalformed);
  EXPECT_EQ(layer.FrameSize(Bytes{1, 0xff}).status().code(), Errc::kMalformed);  // too late for one
  for (int type = 0; type < 256; type++) {
    if (type == 3) continue;
    const Bytes head = {1, static_cast<uint8_t>(type), 0, 9};
    EXPECT_EQ(layer.FrameSize(head).status().code(), Errc::kMalformed) << type;
  }
}

// Our server with MIT's library as the client, which seals with either level at will.
struct Mixed {
  Side server{.layer = NewGssAcceptor(
                  {.credential = nullptr,
                   .levels = {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}}),
              .input = {},
              .error = {}};
  GssPeer client;

  explicit Mixed(uint8_t level) {
    const Bytes token = server.Take(Message(1, client.Initiate({})));
    client.Initiate(TokenOf(token));
    const Bytes agreed = server.Take(Message(2, client.Wrap({level}, false)));
    EXPECT_TRUE(server.established) << server.error.message();
    EXPECT_EQ(client.Unwrap(TokenOf(agreed)).plain, Bytes{level});
  }
};

TEST_F(GssProtectionTest, EachLevelTakesWhatItMay) {
  const Bytes plain = Text("plain");
  for (uint8_t level = 1; level <= 3; level++) {
    for (bool confidential : {false, true}) {
      SCOPED_TRACE(std::to_string(level) + (confidential ? " confidential" : " integrity"));
      Mixed mixed(level);
      const Bytes frame = Message(3, mixed.client.Wrap(plain, confidential));
      const Status status = Opens(*mixed.server.layer, frame, plain);
      if (level == 2 && !confidential) {
        EXPECT_EQ(status.code(), Errc::kPolicy) << status.message();
        const Bytes next = Message(3, mixed.client.Wrap(plain, true));
        EXPECT_FALSE(Opens(*mixed.server.layer, next, plain).ok());  // it stays ended
      } else {
        EXPECT_TRUE(status.ok()) << status.message();
      }
    }
  }
}

TEST_F(GssProtectionTest, OurFramesAreWhatMitUnwraps) {
  for (uint8_t level = 1; level <= 3; level++) {
    Mixed mixed(level);
    for (size_t size : {1u, 100u, 60000u}) {
      const Bytes plain = Pattern(size);
      const Bytes frame = Sealed(*mixed.server.layer, plain);
      const GssPeer::Unwrapped got = mixed.client.Unwrap(TokenOf(frame));
      EXPECT_TRUE(got.good);
      EXPECT_EQ(got.plain, plain);
      EXPECT_EQ(got.confidential, level != 1);  // exactly as agreed, always
    }
  }
}

TEST_F(GssProtectionTest, AnEmptyPlaintextIsNoError) {
  for (bool confidential : {false, true}) {
    Mixed mixed(confidential ? 2 : 1);
    EXPECT_TRUE(
        Opens(*mixed.server.layer, Message(3, mixed.client.Wrap(Bytes(), confidential)), {}).ok());
    const Bytes next = Message(3, mixed.client.Wrap(Text("next"), confidential));
    EXPECT_TRUE(Opens(*mixed.server.layer, next, Text("next")).ok());
  }
}

TEST_F(GssProtectionTest, TwoThreadsSealAndOpenAtOnce) {
  constexpr int kFrames = 300;
  auto pair = EstablishedPair();
  std::vector<Bytes> to_client;
  for (int i = 0; i < kFrames; i++) to_client.push_back(Sealed(*pair->server.layer, Pattern(500)));
  std::vector<Bytes> to_server(kFrames);
  SecurityLayer& client = *pair->client.layer;
  std::thread sealer([&] {
    for (Bytes& frame : to_server) EXPECT_TRUE(client.Seal(Pattern(700), &frame).ok());
  });
  std::thread opener([&] {
    for (Bytes& frame : to_client) {
      EXPECT_TRUE(client.FrameSize(frame).ok());
      EXPECT_TRUE(client.Open(frame).ok());
    }
  });
  sealer.join();
  opener.join();
  for (const Bytes& frame : to_server) {
    ASSERT_TRUE(Opens(*pair->server.layer, frame, Pattern(700)).ok());
  }
}

}  // namespace
}  // namespace socksify
