#include "lib/config/bypass.h"

#include <gtest/gtest.h>

#include "lib/config/text.h"

namespace socksify {
namespace {

BypassRules Rules(std::string_view list) {
  Result<BypassRules> rules = BypassRules::Parse(list);
  EXPECT_TRUE(rules.ok()) << rules.status().message();
  return rules.ok() ? *rules : BypassRules();
}

// "192.0.2.1:80", "[::1]:80" or "name:80".
bool Matches(std::string_view list, std::string_view destination) {
  const size_t colon = destination.rfind(':');
  std::string_view host = destination.substr(0, colon);
  const uint16_t port = *ParsePort(destination.substr(colon + 1));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  std::optional<Address> ip = ParseIp(host);
  Address address = ip ? *ip : Address::Name(host, port);
  address.port = port;
  return Rules(list).Matches(address);
}

TEST(BypassTest, AnEmptyListBypassesNothing) {
  for (const char* list : {"", " ", ",", " , ,"}) {
    EXPECT_TRUE(Rules(list).empty());
    EXPECT_FALSE(Matches(list, "localhost:80"));
    EXPECT_FALSE(Matches(list, "127.0.0.1:80"));
  }
}

TEST(BypassTest, NamesAreWholeAndCaseDoesNotMatter) {
  EXPECT_TRUE(Matches("Example.COM", "example.com:80"));
  EXPECT_TRUE(Matches("example.com", "EXAMPLE.com.:80"));
  EXPECT_TRUE(Matches("example.com.", "example.com:80"));
  EXPECT_FALSE(Matches("example.com", "www.example.com:80"));
  EXPECT_FALSE(Matches("example.com", "notexample.com:80"));
  EXPECT_FALSE(Matches("example.com", "example.com.evil.test:80"));
}

TEST(BypassTest, SuffixesMatchWhatIsBelowThem) {
  EXPECT_TRUE(Matches(".corp.example", "www.corp.example:80"));
  EXPECT_TRUE(Matches(".corp.example", "a.b.CORP.example.:80"));
  EXPECT_FALSE(Matches(".corp.example", "corp.example:80"));
  EXPECT_FALSE(Matches(".corp.example", "notcorp.example:80"));
  EXPECT_FALSE(Matches(".corp.example", "www.corp.example.test:80"));
}

TEST(BypassTest, PortsNarrowARule) {
  EXPECT_TRUE(Matches("example.com:443", "example.com:443"));
  EXPECT_FALSE(Matches("example.com:443", "example.com:80"));
  EXPECT_TRUE(Matches(".example.com:443", "a.example.com:443"));
  EXPECT_FALSE(Matches(".example.com:443", "a.example.com:444"));
  EXPECT_TRUE(Matches("10.0.0.0/8:22", "10.1.2.3:22"));
  EXPECT_FALSE(Matches("10.0.0.0/8:22", "10.1.2.3:23"));
  EXPECT_TRUE(Matches("[::1]:22", "[::1]:22"));
  EXPECT_FALSE(Matches("[::1]:22", "[::1]:23"));
}

TEST(BypassTest, Networks) {
  EXPECT_TRUE(Matches("127.0.0.0/8", "127.255.255.255:1"));
  EXPECT_FALSE(Matches("127.0.0.0/8", "128.0.0.0:1"));
  EXPECT_TRUE(Matches("10.1.2.3/8", "10.9.9.9:1"));  // octets behind the prefix do not matter
  EXPECT_TRUE(Matches("0.0.0.0/0", "203.0.113.7:1"));
  EXPECT_FALSE(Matches("0.0.0.0/0", "[2001:db8::1]:1"));
  EXPECT_TRUE(Matches("::/0", "[2001:db8::1]:1"));
  EXPECT_FALSE(Matches("::/0", "203.0.113.7:1"));
  EXPECT_TRUE(Matches("2001:db8::/33", "[2001:db8:7fff::1]:1"));
  EXPECT_FALSE(Matches("2001:db8::/33", "[2001:db8:8000::1]:1"));
  EXPECT_TRUE(Matches("::ffff:10.0.0.0/104", "10.2.3.4:1"));
}

TEST(BypassTest, EveryPrefixLengthCutsAtItsBit) {
  for (int bits = 1; bits <= 32; bits++) {
    const std::string rule = "255.255.255.255/" + std::to_string(bits);
    const uint32_t last_inside = 0xffffffffu << (32 - bits);
    auto address = [](uint32_t ip) {
      return Address::Ipv4({static_cast<uint8_t>(ip >> 24), static_cast<uint8_t>(ip >> 16),
                            static_cast<uint8_t>(ip >> 8), static_cast<uint8_t>(ip)},
                           80);
    };
    EXPECT_TRUE(Rules(rule).Matches(address(last_inside))) << bits;
    EXPECT_FALSE(Rules(rule).Matches(address(last_inside - 1))) << bits;
  }
}

TEST(BypassTest, ANameIsNoAddressAndAnAddressNoName) {
  EXPECT_FALSE(Matches("0.0.0.0/0,::/0", "example.com:80"));
  EXPECT_FALSE(Matches("localhost", "127.0.0.1:80"));
}

TEST(BypassTest, MentionsNameWhateverThePort) {
  const BypassRules rules = Rules("a.example:443, .b.example, 10.0.0.0/8");
  EXPECT_TRUE(rules.MentionsName("A.example."));
  EXPECT_TRUE(rules.MentionsName("x.b.example"));
  EXPECT_FALSE(rules.MentionsName("b.example"));
  EXPECT_FALSE(rules.MentionsName("10.0.0.1"));
}

TEST(BypassTest, WhetherAllStaysOnThisHost) {
  for (const char* list : {"", "localhost,127.0.0.0/8,::1", "127.0.0.1:53,[::1]:80"}) {
    EXPECT_TRUE(Rules(list).IsOnlyLoopback()) << list;
  }
  for (const char* list : {"10.0.0.1", "0.0.0.0/0", "126.0.0.0/7", "::/0", "::/127", "b.example",
                           ".localhost", "localhost,192.0.2.1:53"}) {
    EXPECT_FALSE(Rules(list).IsOnlyLoopback()) << list;
  }
}

TEST(BypassTest, TextReadsBackTheSame) {
  const std::string list =
      "localhost,.corp.example:443,127.0.0.0/8,10.0.0.1:22,::1,[::1]:80,2001:db8::/32,"
      "[2001:db8::]/32:80,0.0.0.0/0,::/0";
  EXPECT_EQ(Rules(list).ToString(), list);
  EXPECT_EQ(Rules("[2001:db8::/32]:80").ToString(), "[2001:db8::]/32:80");
  EXPECT_EQ(Rules(" A , 10.1.2.3/8 ").ToString(), "a,10.0.0.0/8");
}

TEST(BypassTest, WhatIsNoRuleIsNamed) {
  for (const char* item : {"*",           "*.example.com", "a b",         ".",
                           "..",          "a..b",          ".a..b",       "10.0.0.0/33",
                           "10.0.0.0/",   "10/8",          "10.0.0.0/-1", "10.0.0.0/8/8",
                           "::/129",      "[::1",          "[10.0.0.1]",  "[::1]80",
                           "[::1]/",      "a:0",           "a:65536",     "a:",
                           "a:80:",       ":80",           "a:b",         "a/8",
                           "300.1.1.1",   "1.2.3",         "1.2.3.4.5",   "[]",
                           "[::1/64]/64", "http://a",      "a@b",         "10.0.0.1:99999",
                           "127.1"}) {
    Result<BypassRules> rules = BypassRules::Parse(std::string("ok,") + item);
    EXPECT_FALSE(rules.ok()) << item;
    EXPECT_EQ(rules.status().code(), Errc::kConfig);
    EXPECT_NE(rules.status().message().find(item), std::string::npos) << rules.status().message();
  }
}

}  // namespace
}  // namespace socksify
