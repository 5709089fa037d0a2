#include "lib/wire/socks5.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/cut.h"

namespace socksify {
namespace {

Result<Parsed<ReplyMessage>> ParseReplyOpen(ByteView octets) { return ParseReply(octets); }

Bytes Join(Bytes head, const Bytes& tail) {
  Append(head, tail);
  return head;
}

const Bytes kIpv4 = B({1, 192, 0, 2, 1, 0, 80});
const Bytes kIpv6 = B({4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80});
const Bytes kName = B({3, 4, 'h', 'o', 's', 't', 0, 80});
const Bytes kAddresses[] = {kIpv4, kIpv6, kName};

// --- greeting and choice ---

TEST(GreetingTest, Octets) {
  Bytes octets;
  AppendGreeting(octets, {{Method::kGssapi, Method::kNone, Method::kSsl}});
  EXPECT_EQ(Hex(octets), "0503010086");
}

TEST(GreetingTest, RoundTripAndCutsAtEveryCount) {
  for (size_t count = 1; count <= 255; count++) {
    Greeting greeting;
    for (size_t i = 0; i < count; i++) greeting.methods.push_back(static_cast<Method>(i));
    Bytes octets;
    AppendGreeting(octets, greeting);
    ExpectCutsWell(octets, ParseGreeting);
    auto parsed = ParseGreeting(octets);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->message.methods, greeting.methods);
  }
}

TEST(GreetingTest, NeverMoreThan255Methods) {
  Bytes octets;
  AppendGreeting(octets, {std::vector<Method>(1000, Method::kNone)});
  EXPECT_EQ(octets.size(), 257u);
  EXPECT_EQ(octets[1], 255);
}

TEST(GreetingTest, OfferingNothingIsMalformed) {
  EXPECT_EQ(ParseGreeting(B({5, 0})).status().code(), Errc::kMalformed);
}

TEST(VersionTest, OnlyFiveAtTheFirstOctet) {
  for (int version = 0; version < 256; version++) {
    const Bytes octets = B({version});
    EXPECT_EQ(ParseGreeting(octets).ok(), version == 5);
    EXPECT_EQ(ParseChoice(octets).ok(), version == 5);
    EXPECT_EQ(ParseRequest(octets).ok(), version == 5);
    EXPECT_EQ(ParseReply(octets).ok(), version == 5);
    EXPECT_EQ(ParseReply(octets, true).ok(), version == 5);
  }
}

TEST(ChoiceTest, EveryMethodComesThrough) {
  for (int method = 0; method < 256; method++) {
    Bytes octets;
    AppendChoice(octets, {static_cast<Method>(method)});
    EXPECT_EQ(octets, B({5, method}));
    ExpectCutsWell(octets, ParseChoice);
    EXPECT_EQ(ParseChoice(octets)->message.method, static_cast<Method>(method));
    EXPECT_STRNE(MethodName(static_cast<Method>(method)), "");
  }
  EXPECT_STREQ(MethodName(Method::kGssapi), "gssapi");
  EXPECT_STREQ(MethodName(static_cast<Method>(0x77)), "unknown");
}

// --- request ---

TEST(RequestTest, Octets) {
  Bytes octets;
  ASSERT_TRUE(AppendRequest(octets, {Command::kConnect, Address::Name("host", 80)}).ok());
  EXPECT_EQ(octets, Join(B({5, 1, 0}), kName));
}

TEST(RequestTest, RoundTripAndCuts) {
  for (const Bytes& address : kAddresses) {
    for (Command command : {Command::kConnect, Command::kBind, Command::kUdpAssociate}) {
      const Bytes octets = Join(B({5, static_cast<int>(command), 0}), address);
      ExpectCutsWell(octets, ParseRequest);
      auto parsed = ParseRequest(octets);
      ASSERT_TRUE(parsed.ok());
      EXPECT_EQ(parsed->message.command, command);
      Bytes again;
      ASSERT_TRUE(AppendRequest(again, parsed->message).ok());
      EXPECT_EQ(again, octets);
    }
  }
}

TEST(RequestTest, UnknownCommandsAreForTheServerToAnswer) {
  for (int command = 0; command < 256; command++) {
    auto parsed = ParseRequest(Join(B({5, command, 0}), kIpv4));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(static_cast<int>(parsed->message.command), command);
  }
}

TEST(RequestTest, ReservedOctetMustBeZero) {
  for (int reserved = 1; reserved < 256; reserved++) {
    EXPECT_EQ(ParseRequest(B({5, 1, reserved})).status().code(), Errc::kMalformed);
  }
}

TEST(RequestTest, UnknownAddressTypesAreToldApart) {
  for (int type = 0; type < 256; type++) {
    if (type == 1 || type == 3 || type == 4) continue;
    EXPECT_EQ(ParseRequest(B({5, 1, 0, type})).status().code(), Errc::kReplyAddressUnsupported);
  }
}

TEST(RequestTest, HostileNames) {
  EXPECT_EQ(ParseRequest(B({5, 1, 0, 3, 0, 0, 80})).status().code(), Errc::kMalformed);
  EXPECT_EQ(ParseRequest(B({5, 1, 0, 3, 2, 'a', 0, 0, 80})).status().code(), Errc::kMalformed);
}

TEST(RequestTest, ABadDestinationWritesNothing) {
  Bytes octets = B({0xee});
  EXPECT_EQ(
      AppendRequest(octets, {Command::kConnect, Address::Name(std::string(256, 'a'), 80)}).code(),
      Errc::kNameTooLong);
  EXPECT_EQ(octets, B({0xee}));
}

// --- reply ---

TEST(ReplyTest, RoundTripAndCuts) {
  for (const Bytes& address : kAddresses) {
    for (int reply = 0; reply < 256; reply++) {
      const Bytes octets = Join(B({5, reply, 0}), address);
      ExpectCutsWell(octets, ParseReplyOpen);
      auto parsed = ParseReply(octets);
      ASSERT_TRUE(parsed.ok());
      EXPECT_EQ(static_cast<int>(parsed->message.reply), reply);
      Bytes again;
      ASSERT_TRUE(AppendReply(again, parsed->message).ok());
      EXPECT_EQ(again, octets);
    }
  }
}

TEST(ReplyTest, TheLongestNameIsReadAsUnsigned) {
  Bytes octets = B({5, 0, 0, 3, 255});
  octets.insert(octets.end(), 255, 'n');
  AppendU16(octets, 80);
  ExpectCutsWell(octets, ParseReplyOpen);
  EXPECT_EQ(ParseReply(octets)->message.bound.name.size(), 255u);
}

TEST(ReplyTest, AShortFailureIsCompleteAtTheEnd) {
  const Bytes whole = Join(B({5, 5, 0}), kIpv4);
  for (size_t cut = 0; cut < whole.size(); cut++) {
    const Bytes prefix(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    auto parsed = ParseReply(prefix, /*at_end=*/true);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->complete(), cut >= 2);
    if (!parsed->complete()) continue;
    EXPECT_EQ(parsed->size, cut);
    EXPECT_EQ(parsed->message.reply, Reply::kConnectionRefused);
    EXPECT_EQ(parsed->message.bound, Address());
  }
}

TEST(ReplyTest, AShortSuccessIsNot) {
  const Bytes whole = Join(B({5, 0, 0}), kIpv4);
  for (size_t cut = 0; cut < whole.size(); cut++) {
    const Bytes prefix(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    auto parsed = ParseReply(prefix, /*at_end=*/true);
    ASSERT_TRUE(parsed.ok());
    EXPECT_FALSE(parsed->complete());
  }
}

TEST(ReplyTest, AZeroedFailureIsUnderstood) {
  for (int reply = 1; reply < 256; reply++) {
    auto parsed = ParseReply(B({5, reply, 0, 0, 0, 0, 0, 0, 0, 0}));
    ASSERT_TRUE(parsed.ok());
    EXPECT_TRUE(parsed->complete());
    EXPECT_EQ(static_cast<int>(parsed->message.reply), reply);
  }
}

TEST(ReplyTest, ASuccessMustBeWhatTheRfcSays) {
  EXPECT_EQ(ParseReply(B({5, 0, 0, 0, 0, 0, 0, 0, 0, 0})).status().code(), Errc::kMalformed);
  EXPECT_EQ(ParseReply(Join(B({5, 0, 1}), kIpv4)).status().code(), Errc::kMalformed);
  EXPECT_EQ(ParseReply(B({5, 0, 0, 3, 0, 0, 80})).status().code(), Errc::kMalformed);
}

TEST(ReplyTest, EveryReplyHasAnErrorAndAText) {
  EXPECT_EQ(ReplyErrc(Reply::kSucceeded), Errc::kOk);
  EXPECT_EQ(ReplyErrc(Reply::kConnectionRefused), Errc::kReplyRefused);
  for (int reply = 1; reply < 256; reply++) {
    EXPECT_NE(ReplyErrc(static_cast<Reply>(reply)), Errc::kOk);
    if (reply > 8) {
      EXPECT_EQ(ReplyErrc(static_cast<Reply>(reply)), Errc::kReplyGeneral);
      EXPECT_STREQ(ReplyText(static_cast<Reply>(reply)), "unassigned reply");
    } else {
      EXPECT_STRNE(ReplyText(static_cast<Reply>(reply)), "unassigned reply");
    }
  }
}

}  // namespace
}  // namespace socksify
