// The client engine where every octet is foreseen: methods none and userpass.
#include "lib/engine/client_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace socksify {
namespace {

using State = ClientEngine::State;

const ServerEndpoint kServer = {"localhost", 1080};
const Request kRequest = {Command::kConnect, Address::Name("host", 80)};
const Bytes kRequestOctets = {5, 1, 0, 3, 4, 'h', 'o', 's', 't', 0, 80};
const Bytes kSuccess = {5, 0, 0, 1, 192, 0, 2, 1, 0x12, 0x34};

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) Append(all, part);
  return all;
}

class ClientEngineTest : public ::testing::Test {
 protected:
  ClientEngineTest() { config_.methods = {Method::kNone}; }

  void Begin(std::optional<Request> request = kRequest) {
    engine_ = ClientEngine::New(config_, kServer, std::move(request));
    EXPECT_TRUE(engine_->Prepare().ok()) << engine_->error().message();
  }

  Bytes Sent() {
    Bytes sent(engine_->output().begin(), engine_->output().end());
    engine_->ConsumeOutput(sent.size());
    return sent;
  }

  // As a caller of the contract: reads no more than is wanted. Returns what is left of `octets`.
  ByteView FeedWanted(ByteView octets, size_t portion = SIZE_MAX) {
    while (!octets.empty() && engine_->WantedOctets() != 0) {
      const size_t count = std::min({engine_->WantedOctets(), octets.size(), portion});
      engine_->Feed(octets.first(count));
      octets = octets.subspan(count);
    }
    return octets;
  }

  // A whole server that says `octets`; then the error, or kOk once established.
  Errc After(const Bytes& octets, bool eof = false) {
    Begin();
    FeedWanted(octets);
    if (eof) engine_->FeedEof();
    return engine_->error().code();
  }

  Config config_;
  std::unique_ptr<ClientEngine> engine_;
};

TEST_F(ClientEngineTest, GoesThroughEveryStep) {
  Begin();
  EXPECT_EQ(Hex(Sent()), "050100");
  EXPECT_EQ(engine_->WantedOctets(), 2u);
  engine_->Feed(Bytes{5, 0});
  EXPECT_EQ(Sent(), kRequestOctets);
  EXPECT_TRUE(FeedWanted(kSuccess).empty());
  ASSERT_EQ(engine_->state(), State::kEstablished);
  EXPECT_EQ(engine_->WantedOctets(), 0u);
  EXPECT_EQ(engine_->method(), Method::kNone);
  EXPECT_EQ(engine_->bound().ToString(), "192.0.2.1:4660");
  EXPECT_TRUE(engine_->TakeEarlyData().empty());
  EXPECT_FALSE(engine_->TakeLayer()->framed());
  EXPECT_EQ(engine_->summary().level, ProtectionLevel::kNone);  // outlives the layer
}

TEST_F(ClientEngineTest, NeverTakesTheApplicationsOctets) {
  const Bytes kReplies[] = {
      kSuccess,
      {5, 0, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 80},
      Join({{5, 0, 0, 3, 200}, Bytes(200, 'n'), {0, 80}}),
      {5, 0, 0, 3, 1, 'n', 0, 80}};
  const Bytes behind = {5, 0, 0, 1, 9, 9, 9};
  for (const Bytes& reply : kReplies) {
    const Bytes stream = Join({{5, 0}, reply, behind});
    for (size_t portion = 1; portion < 30; portion++) {
      Begin();
      const ByteView left = FeedWanted(stream, portion);
      ASSERT_EQ(engine_->state(), State::kEstablished) << engine_->error().message();
      EXPECT_TRUE(std::ranges::equal(left, behind));
      EXPECT_TRUE(engine_->TakeEarlyData().empty());
    }
  }
}

TEST_F(ClientEngineTest, OutputCanBeSentInPieces) {
  Begin();
  engine_->ConsumeOutput(1);
  EXPECT_EQ(Hex(engine_->output()), "0100");
  engine_->Feed(Bytes{5, 0});
  EXPECT_EQ(engine_->output().size(), 2 + kRequestOctets.size());
  engine_->ConsumeOutput(1000);  // more than there is
  EXPECT_TRUE(engine_->output().empty());
}

TEST_F(ClientEngineTest, WithoutARequestItIsEstablishedOnceTheLayerIs) {
  Begin(std::nullopt);
  Sent();
  engine_->Feed(Bytes{5, 0});
  EXPECT_EQ(engine_->state(), State::kEstablished);
  EXPECT_TRUE(Sent().empty());
}

TEST_F(ClientEngineTest, Userpass) {
  config_.methods = {Method::kUserpass, Method::kNone};
  config_.user = "alice";
  config_.password = Secret("wonderland");
  Begin();
  EXPECT_EQ(Hex(Sent()), "05020200");  // in order of preference
  engine_->Feed(Bytes{5, 2});
  EXPECT_EQ(AsText(Sent()),
            "\x01\x05"
            "alice"
            "\x0a"
            "wonderland");
  engine_->Feed(Bytes{1, 0});
  EXPECT_EQ(Sent(), kRequestOctets);
  FeedWanted(kSuccess);
  EXPECT_EQ(engine_->state(), State::kEstablished);
  EXPECT_EQ(engine_->summary().client_principal, "alice");

  Begin();
  FeedWanted(Bytes{5, 2, 1, 1});
  EXPECT_EQ(engine_->error().code(), Errc::kAuthentication);
  Begin();
  Sent();
  FeedWanted(Bytes{5, 0});  // the other offer
  EXPECT_EQ(Sent(), kRequestOctets);
}

TEST_F(ClientEngineTest, WhatCannotBeDoneIsNotOffered) {
  config_.methods = {Method::kUserpass, Method::kNone};  // no user is set
  Begin();
  EXPECT_EQ(Hex(Sent()), "050100");
  config_.methods = {Method::kUserpass};
  engine_ = ClientEngine::New(config_, kServer, kRequest);
  EXPECT_EQ(engine_->Prepare().code(), Errc::kConfig);
  EXPECT_EQ(engine_->state(), State::kFailed);
  EXPECT_TRUE(engine_->output().empty());
  EXPECT_EQ(engine_->WantedOctets(), 0u);
  config_.methods = {};
  engine_ = ClientEngine::New(config_, kServer, kRequest);
  EXPECT_EQ(engine_->Prepare().code(), Errc::kConfig);
}

TEST_F(ClientEngineTest, OnlyAnOfferedMethodMayBeChosen) {
  for (int method = 1; method < 256; method++) {
    EXPECT_EQ(After({5, static_cast<uint8_t>(method)}),
              method == 0xff ? Errc::kAuthentication : Errc::kPolicy);
  }
  EXPECT_NE(After({5, 0xff}), Errc::kOk);
  EXPECT_NE(engine_->error().message().find("none"), std::string::npos);  // what was offered
}

TEST_F(ClientEngineTest, AnotherVersionIsKnownAtTheFirstOctet) {
  for (int version : {0, 1, 4, 6, 72, 255}) {
    EXPECT_EQ(After({static_cast<uint8_t>(version)}), Errc::kMalformed);
    EXPECT_EQ(After({5, 0, static_cast<uint8_t>(version)}), Errc::kMalformed);
  }
}

TEST_F(ClientEngineTest, MalformedReplies) {
  EXPECT_EQ(After({5, 0, 5, 0, 1}), Errc::kMalformed);                       // RSV
  EXPECT_EQ(After({5, 0, 5, 0, 0, 2, 0}), Errc::kMalformed);                 // ATYP
  EXPECT_EQ(After({5, 0, 5, 0, 0, 3, 0, 0, 80}), Errc::kMalformed);          // an empty name
  EXPECT_EQ(After({5, 0, 5, 0, 0, 3, 2, 'a', 0, 0, 80}), Errc::kMalformed);  // a NUL in it
}

TEST_F(ClientEngineTest, EveryFailureReply) {
  const Errc kErrors[] = {Errc::kReplyGeneral,
                          Errc::kReplyNotAllowed,
                          Errc::kReplyNetworkUnreachable,
                          Errc::kReplyHostUnreachable,
                          Errc::kReplyRefused,
                          Errc::kReplyTtlExpired,
                          Errc::kReplyCommandUnsupported,
                          Errc::kReplyAddressUnsupported,
                          Errc::kReplyGeneral};  // 09 is unassigned
  for (uint8_t reply = 1; reply <= 9; reply++) {
    EXPECT_EQ(After({5, 0, 5, reply, 0, 1, 0, 0, 0, 0, 0, 0}), kErrors[reply - 1]);
    EXPECT_EQ(engine_->state(), State::kFailed);
    EXPECT_EQ(After({5, 0, 5, reply, 0, 0, 0, 0, 0, 0}), kErrors[reply - 1]);  // zeroes behind REP
    const Bytes whole = {5, reply, 0, 1, 0, 0, 0, 0, 0, 0};
    for (size_t length = 2; length < whole.size(); length++) {  // short ones, then the end
      const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      EXPECT_EQ(After(Join({{5, 0}, cut})), Errc::kOk) << length;
      EXPECT_EQ(After(Join({{5, 0}, cut}), /*eof=*/true), kErrors[reply - 1]) << length;
    }
  }
}

TEST_F(ClientEngineTest, EofAnywhereBeforeTheReplysEnd) {
  const Bytes stream = Join({{5, 0}, kSuccess});
  for (size_t cut = 0; cut < stream.size(); cut++) {
    EXPECT_EQ(After(Bytes(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(cut)), true),
              Errc::kServerClosed)
        << cut;
  }
  EXPECT_EQ(After(stream, true), Errc::kOk);  // afterwards it is the application's
  EXPECT_EQ(engine_->state(), State::kEstablished);
}

TEST_F(ClientEngineTest, AFailureStaysAndWantsNothing) {
  After({5, 9});
  EXPECT_EQ(engine_->WantedOctets(), 0u);
  engine_->Feed(Join({{5, 0}, kSuccess}));
  engine_->FeedEof();
  EXPECT_EQ(engine_->error().code(), Errc::kPolicy);
  EXPECT_EQ(Hex(engine_->output()), "050100");  // what was to be sent still can be
}

TEST_F(ClientEngineTest, NamesThatNoRequestCanHold) {
  for (size_t length : {255u, 256u}) {
    Begin(Request{Command::kConnect, Address::Name(std::string(length, 'n'), 80)});
    engine_->Feed(Bytes{5, 0});
    EXPECT_EQ(engine_->error().code(), length == 255 ? Errc::kOk : Errc::kNameTooLong);
  }
}

}  // namespace
}  // namespace socksify
