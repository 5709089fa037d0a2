// What library and agent say to each other: back as it was said, and nothing else.
#include "lib/io/agent_protocol.h"

#include <gtest/gtest.h>
#include <limits.h>

#include <cerrno>

#include <string>

namespace socksify {
namespace {

using Kind = AgentRequest::Kind;

const Address kOwn = Address::Ipv4({127, 0, 0, 1}, 40000);
const Address kPeer = Address::Name("host.example", 53);
const Address kBound = Address::Ipv6({0x20, 1, 0xd, 0xb8}, 1080);

TEST(AgentProtocolTest, RequestsComeBack) {
  for (Kind kind : {Kind::kAssociate, Kind::kListen, Kind::kReach, Kind::kWhoIs, Kind::kMoved,
                    Kind::kState, Kind::kSettle}) {
    for (bool wait : {false, true}) {
      auto request = DecodeAgentRequest(EncodeAgentRequest({kind, wait, kOwn, kPeer}));
      ASSERT_TRUE(request.ok()) << request.status().message();
      EXPECT_EQ(request->kind, kind);
      EXPECT_EQ(request->wait, wait);
      EXPECT_EQ(request->own, kOwn);
      EXPECT_EQ(request->peer, kPeer);
    }
  }
}

TEST(AgentProtocolTest, RepliesComeBack) {
  for (size_t max_data : {size_t{0}, size_t{65433}, size_t{1} << 20}) {
    auto reply =
        DecodeAgentReply(EncodeAgentReply({ECONNREFUSED, "why", kOwn, kPeer, kBound, max_data}));
    ASSERT_TRUE(reply.ok()) << reply.status().message();
    EXPECT_EQ(reply->error, ECONNREFUSED);
    EXPECT_EQ(reply->message, "why");
    EXPECT_EQ(reply->stand_in, kOwn);
    EXPECT_EQ(reply->peer, kPeer);
    EXPECT_EQ(reply->bound, kBound);
    EXPECT_EQ(reply->max_data, max_data);
  }
}

TEST(AgentProtocolTest, AReplyIsWrittenToAPipeAtOnce) {
  AgentReply reply;
  reply.stand_in = reply.peer = reply.bound = Address::Name(std::string(255, 'n'), 1);
  reply.message = std::string(10000, 'm');
  const Bytes octets = EncodeAgentReply(reply);
  EXPECT_EQ(octets.size(), size_t{PIPE_BUF});
  auto decoded = DecodeAgentReply(octets);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->bound, reply.bound);
  EXPECT_EQ(decoded->message, reply.message.substr(0, decoded->message.size()));
  EXPECT_GT(decoded->message.size(), 3000u);
}

TEST(AgentProtocolTest, PartsAndMoreThanAMessageAreRefused) {
  const Bytes request = EncodeAgentRequest({Kind::kReach, true, kOwn, kPeer});
  const Bytes reply = EncodeAgentReply({1, "why", kOwn, kPeer, kBound, 7});
  for (size_t cut = 0; cut < request.size(); cut++) {
    const Bytes part(request.begin(), request.begin() + static_cast<ptrdiff_t>(cut));
    EXPECT_EQ(DecodeAgentRequest(part).status().code(), Errc::kMalformed) << cut;
  }
  for (size_t cut = 0; cut < reply.size(); cut++) {
    const Bytes part(reply.begin(), reply.begin() + static_cast<ptrdiff_t>(cut));
    EXPECT_EQ(DecodeAgentReply(part).status().code(), Errc::kMalformed) << cut;
  }
  Bytes more = request;
  more.push_back(0);
  EXPECT_FALSE(DecodeAgentRequest(more).ok());
  more = reply;
  more.push_back(0);
  EXPECT_FALSE(DecodeAgentReply(more).ok());
}

TEST(AgentProtocolTest, UnknownValuesAreRefused) {
  const Bytes request = EncodeAgentRequest({Kind::kReach, true, kOwn, kPeer});
  for (size_t at : {0u, 1u, 2u}) {  // KIND WAIT ATYP
    for (int value : {0, 2, 8, 0xff}) {
      Bytes changed = request;
      changed[at] = static_cast<uint8_t>(value);
      const bool known = (at == 0 && value == 2) || (at == 1 && value == 0);
      EXPECT_EQ(DecodeAgentRequest(changed).ok(), known) << at << " " << value;
    }
  }
}

}  // namespace
}  // namespace socksify
