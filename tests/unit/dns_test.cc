#include "lib/wire/dns.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/cut.h"

namespace socksify {
namespace {

constexpr uint16_t kInternet = 1;

Bytes Query(std::string_view name, DnsType type = DnsType::kA) {
  return *WriteDnsQuery(0x1234, name, static_cast<uint16_t>(type), kInternet);
}

// `query` with an OPT record behind it.
Bytes WithEdns(Bytes query, uint16_t payload, uint8_t version = 0) {
  query[11] = 1;
  Append(query, B({0, 0, 41, payload >> 8, payload & 0xff, 0, version, 0, 0, 0, 0}));
  return query;
}

DnsCode CodeOf(const Bytes& message) {
  auto query = ParseDnsQuery(message);
  return query ? query->code : DnsCode::kRefused;
}

TEST(DnsTest, QueryIsHeaderAndQuestion) {
  EXPECT_EQ(Hex(Query("a.Bc.")),
            "123401000001000000000000"
            "0161024263000001"
            "0001");
}

TEST(DnsTest, ReadsWhatWasAsked) {
  auto query = ParseDnsQuery(Query("WwW.example.COM", DnsType::kAaaa));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->code, DnsCode::kNoError);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_EQ(query->name, "WwW.example.COM");
  EXPECT_TRUE(query->name_is_text);
  EXPECT_EQ(query->type, DnsType::kAaaa);
  EXPECT_EQ(query->rr_class, kInternet);
  EXPECT_FALSE(query->has_edns);
}

TEST(DnsTest, RootHasNoText) {
  auto query = ParseDnsQuery(Query("."));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->name, "");
  EXPECT_EQ(Query("."), Query(""));
}

TEST(DnsTest, AnswerKeepsIdCaseAndFlags) {
  Bytes message = Query("ExAmPle");
  message[3] = 0x30;  // AD and CD
  auto query = ParseDnsQuery(message);
  const DnsRecord record = DnsRecord::Of(Address::Ipv4({198, 18, 0, 1}, 0), 60);
  EXPECT_EQ(Hex(WriteDnsAnswer(*query, DnsCode::kNoError, {&record, 1}, 512)),
            "1234"
            "8190"
            "0001"
            "0001"
            "0000"
            "0000"
            "074578416d506c65"
            "00"
            "00010001"
            "c00c"
            "00010001"
            "0000003c"
            "0004"
            "c6120001");
}

TEST(DnsTest, CutAnywhereIsAFormatErrorOrNothing) {
  const Bytes whole = WithEdns(Query("www.example.com"), 4096);
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    auto query = ParseDnsQuery(part);
    ASSERT_EQ(query.has_value(), cut >= kDnsHeaderSize) << cut;
    if (!query) continue;
    EXPECT_EQ(query->code, DnsCode::kFormatError) << cut;
    const Bytes answer = WriteDnsAnswer(*query, query->code, {}, 512);
    EXPECT_EQ(answer[3] & 0x0f, 1);
  }
}

TEST(DnsTest, ResponsesAreNotAnswered) {
  Bytes message = Query("a");
  message[2] |= 0x80;
  EXPECT_FALSE(ParseDnsQuery(message));
}

TEST(DnsTest, OtherOperationsAreNotImplemented) {
  for (int opcode = 1; opcode < 16; ++opcode) {
    Bytes message = Query("a");
    message[2] = static_cast<uint8_t>(opcode << 3);
    EXPECT_EQ(CodeOf(message), DnsCode::kNotImplemented);
    const Bytes answer = WriteDnsAnswer(*ParseDnsQuery(message), DnsCode::kNotImplemented, {}, 512);
    EXPECT_EQ(answer.size(), kDnsHeaderSize);
    EXPECT_EQ(answer[2], 0x80 | opcode << 3);
  }
}

TEST(DnsTest, OneQuestionAlone) {
  for (int questions : {0, 2, 255}) {
    Bytes message = Query("a");
    message[5] = static_cast<uint8_t>(questions);
    EXPECT_EQ(CodeOf(message), DnsCode::kFormatError);
  }
}

TEST(DnsTest, HostileNames) {
  Bytes header = Query("");
  header.resize(kDnsHeaderSize);
  auto with = [&](const Bytes& rest) {
    Bytes message = header;
    Append(message, rest);
    return CodeOf(message);
  };
  EXPECT_EQ(with(B({0xc0, 12, 0, 1, 0, 1})), DnsCode::kFormatError);  // points at itself
  EXPECT_EQ(with(B({0x40, 0, 0, 1, 0, 1})), DnsCode::kFormatError);   // a label of no known kind
  Bytes too_long;
  for (int i = 0; i < 127; ++i) Append(too_long, B({1, 'a'}));
  Append(too_long, B({1, 'a', 0, 0, 1, 0, 1}));
  EXPECT_EQ(with(too_long), DnsCode::kFormatError);
  Bytes longest(too_long.begin() + 2, too_long.end());
  EXPECT_EQ(with(longest), DnsCode::kNoError);
  Append(longest, B({0}));
  EXPECT_EQ(with(longest), DnsCode::kFormatError);  // octets behind the end
}

TEST(DnsTest, LabelsThatAreNoText) {
  for (int octet : {0, 0x20, 0x2e, 0x7f, 0x0a}) {
    Bytes message = Query("ab");
    message[13] = static_cast<uint8_t>(octet);
    auto query = ParseDnsQuery(message);
    ASSERT_TRUE(query);
    EXPECT_EQ(query->code, DnsCode::kNoError);
    EXPECT_FALSE(query->name_is_text);
  }
}

TEST(DnsTest, Edns) {
  auto query = ParseDnsQuery(WithEdns(Query("a"), 4096));
  EXPECT_TRUE(query->has_edns);
  EXPECT_EQ(query->payload_size, 4096);
  EXPECT_EQ(ParseDnsQuery(WithEdns(Query("a"), 5))->payload_size, 512);
  EXPECT_EQ(Hex(ByteView(WriteDnsAnswer(*query, DnsCode::kNoError, {}, 512)).last(11)),
            "00002904d0000000000000");
  auto newer = ParseDnsQuery(WithEdns(Query("a"), 4096, 1));
  EXPECT_EQ(newer->code, DnsCode::kBadVersion);
  const Bytes answer = WriteDnsAnswer(*newer, newer->code, {}, 512);
  EXPECT_EQ(answer[3] & 0x0f, 0);
  EXPECT_EQ(answer[answer.size() - 6], 1);  // the upper bits of 16

  Bytes twice = WithEdns(WithEdns(Query("a"), 4096), 4096);
  twice[11] = 2;
  EXPECT_EQ(CodeOf(twice), DnsCode::kFormatError);
}

TEST(DnsTest, WhatDoesNotFitIsTruncated) {
  auto query = ParseDnsQuery(Query("a"));
  const std::vector<DnsRecord> many(40, DnsRecord::Of(Address::Ipv4({192, 0, 2, 1}, 0), 60));
  const Bytes cut = WriteDnsAnswer(*query, DnsCode::kNoError, many, 512);
  EXPECT_EQ(cut.size(), Query("a").size());
  EXPECT_EQ(cut[2] & 0x02, 0x02);
  EXPECT_EQ(cut[7], 0);
  const Bytes whole = WriteDnsAnswer(*query, DnsCode::kNoError, many, kMaxDnsMessageSize);
  EXPECT_EQ(whole.size(), Query("a").size() + 40 * 16);
  EXPECT_EQ(whole[2] & 0x02, 0);
}

TEST(DnsTest, NamesThatAreNone) {
  Bytes wire;
  for (std::string_view name : {"a..b", ".a", "..", "a.."}) EXPECT_FALSE(AppendDnsName(wire, name));
  EXPECT_FALSE(AppendDnsName(wire, std::string(64, 'a')));
  EXPECT_TRUE(AppendDnsName(wire, std::string(63, 'a') + "."));
  wire.clear();
  std::string name;
  for (int i = 0; i < 126; ++i) name += "a.";
  EXPECT_TRUE(AppendDnsName(wire, name + "a"));
  EXPECT_EQ(wire.size(), 255u);
  EXPECT_FALSE(AppendDnsName(wire, name + "aa"));
}

TEST(DnsTest, ReverseNames) {
  EXPECT_EQ(DnsReverseAddress("1.2.18.198.In-Addr.ARPA"), Address::Ipv4({198, 18, 2, 1}, 0));
  std::string nibbles = "F";
  for (int i = 1; i < 32; ++i) nibbles += i == 31 ? ".2" : ".0";
  auto ipv6 = DnsReverseAddress(nibbles + ".ip6.arpa");
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->Host(), "2000::f");
  for (std::string_view name :
       {"", "in-addr.arpa", "2.18.198.in-addr.arpa", "256.2.18.198.in-addr.arpa",
        "01.2.18.198.in-addr.arpa", "0.1.2.18.198.in-addr.arpa", "1.2.18.198.in-addr.arpa.x",
        "x.2.18.198.in-addr.arpa", "1.2.3.4", "g.0.ip6.arpa"}) {
    EXPECT_FALSE(DnsReverseAddress(name)) << name;
  }
}

}  // namespace
}  // namespace socksify
