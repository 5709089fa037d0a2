#include "lib/wire/userpass.h"

#include <gtest/gtest.h>

#include "tests/unit/cut.h"

namespace socksify {
namespace {

UserpassRequest Make(const std::string& user, const std::string& password) {
  return {user, Secret(password)};
}

TEST(UserpassTest, RequestOctets) {
  Bytes octets;
  ASSERT_TRUE(AppendUserpassRequest(octets, Make("alice", "pw")).ok());
  EXPECT_EQ(Hex(octets), "0105616c696365027077");
}

TEST(UserpassTest, RequestRoundTripAndCuts) {
  for (auto [user_length, password_length] :
       {std::pair{1, 1}, {255, 1}, {1, 255}, {255, 255}, {5, 9}}) {
    const std::string user(static_cast<size_t>(user_length), 'u');
    const std::string password(static_cast<size_t>(password_length), '\0');
    Bytes octets;
    ASSERT_TRUE(AppendUserpassRequest(octets, Make(user, password)).ok());
    ExpectCutsWell(octets, ParseUserpassRequest);
    auto parsed = ParseUserpassRequest(octets);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->message.user, user);
    EXPECT_EQ(parsed->message.password.text(), password);
  }
}

TEST(UserpassTest, FieldsThatCannotBeSent) {
  Bytes octets;
  const std::string long_field(256, 'x');
  for (const auto& request :
       {Make("", "p"), Make("u", ""), Make(long_field, "p"), Make("u", long_field)}) {
    Status status = AppendUserpassRequest(octets, request);
    EXPECT_EQ(status.code(), Errc::kConfig);
    EXPECT_EQ(status.message().find(long_field), std::string::npos);  // nothing of it is quoted
  }
  EXPECT_TRUE(octets.empty());
}

TEST(UserpassTest, EmptyFieldsAreRefusedAsSoonAsTheyShow) {
  EXPECT_EQ(ParseUserpassRequest(B({1, 0})).status().code(), Errc::kMalformed);
  EXPECT_EQ(ParseUserpassRequest(B({1, 1, 'u', 0})).status().code(), Errc::kMalformed);
}

TEST(UserpassTest, OnlyVersionOne) {
  for (int version = 0; version < 256; version++) {
    EXPECT_EQ(ParseUserpassRequest(B({version})).ok(), version == 1);
    EXPECT_EQ(ParseUserpassReply(B({version})).ok(), version == 1);
    EXPECT_EQ(ParseUserpassReply(B({version, 0})).ok(), version == 1);
  }
}

TEST(UserpassTest, ReplyCarriesEveryStatus) {
  for (int status = 0; status < 256; status++) {
    Bytes octets;
    AppendUserpassReply(octets, {static_cast<uint8_t>(status)});
    EXPECT_EQ(octets, B({1, status}));
    ExpectCutsWell(octets, ParseUserpassReply);
    auto parsed = ParseUserpassReply(octets);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->message.status, status);
  }
}

}  // namespace
}  // namespace socksify
