// The server engine, on a layer that frames without cryptography so that every octet is foreseen.
#include "lib/engine/server_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "lib/security/clear_layer.h"
#include "lib/wire/frame.h"
#include "tests/unit/fake_layer.h"

namespace socksify {
namespace {

using State = ServerEngine::State;

std::unique_ptr<SecurityLayer> NewFake(Method method, const ServerPolicy& policy) {
  if (method == Method::kGssapi) return std::make_unique<FramedFakeLayer>();
  if (method == Method::kUserpass) return NewUserpassAcceptor(policy.users);
  return method == Method::kNone ? NewClearLayer() : nullptr;
}

Bytes Join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) Append(all, part);
  return all;
}

Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

// The client's side of the fake.
class Client {
 public:
  Bytes Frame(const Bytes& plain) {
    Bytes frame;
    if (plain.empty()) {  // which Seal rightly refuses
      sequence_++;
      return {0x01, 0x03, 0x00, 0x01, static_cast<uint8_t>(sequence_ - 1)};
    }
    frame = {0x01, 0x03, 0, 0, sequence_++};
    WriteFrameHeader(ByteSpan(frame).first(kFrameHeaderSize), 0x03,
                     static_cast<uint16_t>(plain.size() + 1));
    for (uint8_t octet : plain) frame.push_back(octet ^ FramedFakeLayer::kMask);
    return frame;
  }

 private:
  uint8_t sequence_ = 0;
};

const Bytes kGreeting = {0x05, 0x01, 0x01};
const Bytes kChoice = {0x05, 0x01};
const Bytes kHello = {0x01, 0x01, 0x00, 0x05, 'h', 'e', 'l', 'l', 'o'};
const Bytes kReady = {0x01, 0x01, 0x00, 0x00};
const Bytes kConnect = {0x05, 0x01, 0x00, 0x03, 0x04, 'h', 'o', 's', 't', 0x00, 0x50};
const Address kBound = Address::Ipv4({192, 0, 2, 1}, 0x1234);
const Bytes kSuccess = {0x05, 0x00, 0x00, 0x01, 192, 0, 2, 1, 0x12, 0x34};
const Bytes kNowhere = {0x00, 0x01, 0, 0, 0, 0, 0, 0};  // RSV ATYP BND of a failure

Bytes Refusal(uint8_t reply) { return Join({{0x05, reply}, kNowhere}); }

class ServerEngineTest : public ::testing::Test {
 protected:
  ServerEngineTest() { Begin(); }

  void Begin() { engine_ = ServerEngine::New(policy_, NewFake); }

  Bytes Sent() { return std::exchange(engine_->output(), {}); }
  Bytes Delivered() { return std::exchange(engine_->plaintext(), {}); }

  void Establish(Client& client) {
    engine_->Feed(Join({kGreeting, kHello, client.Frame(kConnect)}));
    ASSERT_EQ(engine_->state(), State::kRequest) << engine_->error().message();
    engine_->Answer(Reply::kSucceeded, kBound);
    ASSERT_EQ(engine_->state(), State::kRelaying);
    Sent();
  }

  // Feeds the pieces, answering as soon as the request is there.
  void FeedAndAnswer(std::initializer_list<ByteView> pieces) {
    for (ByteView piece : pieces) {
      engine_->Feed(piece);
      if (engine_->state() == State::kRequest) engine_->Answer(Reply::kSucceeded, kBound);
    }
  }

  ServerPolicy policy_ = {.methods = {Method::kGssapi, Method::kUserpass, Method::kNone},
                          .gss_credential = nullptr,
                          .ssl_credential = nullptr,
                          .subauth = {},
                          .users = UserDatabase({{"alice", {Secret("wonderland")}}})};
  std::unique_ptr<ServerEngine> engine_;
};

TEST_F(ServerEngineTest, GoesThroughEveryStep) {
  Client client, server;
  engine_->Feed(kGreeting);
  EXPECT_EQ(Sent(), kChoice);
  EXPECT_EQ(engine_->method(), Method::kGssapi);
  engine_->Feed(kHello);
  EXPECT_EQ(Sent(), kReady);
  EXPECT_EQ(engine_->state(), State::kNegotiating);
  engine_->Feed(client.Frame(kConnect));
  ASSERT_EQ(engine_->state(), State::kRequest);
  EXPECT_EQ(engine_->request().destination, Address::Name("host", 80));
  EXPECT_EQ(Sent(), Bytes());
  engine_->Answer(Reply::kSucceeded, kBound);
  EXPECT_EQ(Sent(), server.Frame(kSuccess));
  engine_->Feed(client.Frame(Text("up")));
  EXPECT_EQ(Delivered(), Text("up"));
  ASSERT_TRUE(engine_->SendPlaintext(AsBytes("down")).ok());
  EXPECT_EQ(Sent(), server.Frame(Text("down")));
  engine_->FeedEof();
  EXPECT_EQ(engine_->state(), State::kRelaying);
}

TEST_F(ServerEngineTest, AnyTwoCutsGiveTheSame) {
  Client client, server;
  // The request is split over frames, data follows it in its frame and in one more.
  const Bytes head(kConnect.begin(), kConnect.begin() + 6);
  Bytes tail(kConnect.begin() + 6, kConnect.end());
  Append(tail, AsBytes("early "));
  const Bytes all = Join({kGreeting, kHello, client.Frame(head), client.Frame({}),
                          client.Frame(tail), client.Frame(Text("more"))});
  const Bytes expected = Join({kChoice, kReady, server.Frame(kSuccess)});
  for (size_t first = 0; first <= all.size(); first++) {
    for (size_t second = first; second <= all.size(); second++) {
      Begin();
      ByteView octets(all);
      FeedAndAnswer(
          {octets.first(first), octets.subspan(first, second - first), octets.subspan(second)});
      ASSERT_EQ(engine_->state(), State::kRelaying) << first << " " << second;
      ASSERT_EQ(Sent(), expected);
      ASSERT_EQ(Delivered(), Text("early more"));
    }
  }
}

TEST_F(ServerEngineTest, EndAnywhereButAtAFrameBoundaryIsTruncation) {
  Client client;
  const Bytes request = Join({kGreeting, kHello, client.Frame(kConnect)});
  const Bytes all = Join({request, client.Frame(Text("data"))});
  for (size_t cut = 0; cut <= all.size(); cut++) {
    Begin();
    FeedAndAnswer({ByteView(all).first(cut)});
    engine_->FeedEof();
    const bool boundary = cut == request.size() || cut == all.size();
    EXPECT_EQ(engine_->state(), boundary ? State::kRelaying : State::kFailed) << cut;
    EXPECT_EQ(engine_->error().code(), boundary ? Errc::kOk : Errc::kTruncated) << cut;
  }
}

TEST_F(ServerEngineTest, WhatComesAheadOfTheReplyWaitsForIt) {
  Client client;
  Bytes request = kConnect;
  Append(request, AsBytes("1"));
  engine_->Feed(Join({kGreeting, kHello, client.Frame(request), client.Frame(Text("2"))}));
  engine_->Feed(client.Frame(Text("3")));
  engine_->FeedEof();
  EXPECT_EQ(engine_->state(), State::kRequest);
  EXPECT_EQ(Delivered(), Bytes());
  engine_->Answer(Reply::kSucceeded, kBound);
  EXPECT_EQ(engine_->state(), State::kRelaying);
  EXPECT_EQ(Delivered(), Text("123"));
}

TEST_F(ServerEngineTest, TruncationAheadOfTheReplyShowsAfterIt) {
  Client client;
  engine_->Feed(Join({kGreeting, kHello, client.Frame(kConnect), client.Frame(Text("1")), {0x01}}));
  engine_->FeedEof();
  engine_->Answer(Reply::kSucceeded, kBound);
  EXPECT_EQ(engine_->error().code(), Errc::kTruncated);
}

TEST_F(ServerEngineTest, ChoosesByItsOwnOrder) {
  engine_->Feed(Bytes{0x05, 0x03, 0x00, 0x02, 0x01});
  EXPECT_EQ(Sent(), kChoice);
  Begin();
  engine_->Feed(Bytes{0x05, 0x03, 0x80, 0x00, 0x02});
  EXPECT_EQ(Sent(), (Bytes{0x05, 0x02}));
}

TEST_F(ServerEngineTest, SaysThatNoMethodIsAcceptable) {
  engine_->Feed(Bytes{0x05, 0x02, 0x03, 0x86});
  EXPECT_EQ(Sent(), (Bytes{0x05, 0xff}));
  EXPECT_EQ(engine_->state(), State::kFailed);
  EXPECT_EQ(engine_->error().code(), Errc::kPolicy);
  engine_->Feed(kHello);
  EXPECT_EQ(Sent(), Bytes());
}

TEST_F(ServerEngineTest, SaysNothingToWhatIsNotSocks5) {
  for (const Bytes& greeting :
       {Text("GET / HTTP/1.1\r\n"), Bytes{0x04, 0x01, 0x00}, Bytes{0x05, 0x00}}) {
    Begin();
    engine_->Feed(greeting);
    EXPECT_EQ(engine_->error().code(), Errc::kMalformed);
    EXPECT_EQ(Sent(), Bytes());
  }
}

TEST_F(ServerEngineTest, AnAbortIsStillSent) {
  engine_->Feed(Join({kGreeting, {0x01, 0x01, 0x00, 0x02, 'n', 'o'}}));
  EXPECT_EQ(Sent(), Join({kChoice, {0x01, 0xff}}));
  EXPECT_EQ(engine_->error().code(), Errc::kAuthentication);
}

TEST_F(ServerEngineTest, PasswordsDecide) {
  const Bytes user = Join({{0x01, 0x05}, Text("alice")});
  engine_->Feed(
      Join({{0x05, 0x01, 0x02}, user, {0x0a}, Text("wonderland"), kConnect, Text("early")}));
  EXPECT_EQ(Sent(), (Bytes{0x05, 0x02, 0x01, 0x00}));
  ASSERT_EQ(engine_->state(), State::kRequest);
  engine_->Answer(Reply::kSucceeded, kBound);
  EXPECT_EQ(Sent(), kSuccess);
  EXPECT_EQ(Delivered(), Text("early"));
  EXPECT_EQ(engine_->summary().client_principal, "alice");

  Begin();
  engine_->Feed(Join({{0x05, 0x01, 0x02}, user, {0x0a}, Text("wonderlanD"), kConnect}));
  EXPECT_EQ(engine_->error().code(), Errc::kAuthentication);
  EXPECT_EQ(Sent().size(), 4u);
  EXPECT_EQ(engine_->error().message().find("wonderlan"), std::string::npos);
}

TEST_F(ServerEngineTest, WithoutFramesOctetsGoAsTheyAre) {
  for (size_t step : {1, 3, 1000}) {
    Begin();
    const Bytes all = Join({{0x05, 0x01, 0x00}, kConnect, Text("data")});
    for (size_t at = 0; at < all.size(); at += step) {
      FeedAndAnswer({ByteView(all).subspan(at, std::min(step, all.size() - at))});
    }
    EXPECT_EQ(Sent(), Join({{0x05, 0x00}, kSuccess}));
    EXPECT_EQ(Delivered(), Text("data"));
    ASSERT_TRUE(engine_->SendPlaintext(AsBytes("down")).ok());
    EXPECT_EQ(Sent(), Text("down"));
  }
}

TEST_F(ServerEngineTest, RefusesWhatItDoesNotDo) {
  struct Case {
    Bytes request;
    uint8_t reply;
    Errc error;
  };
  const Bytes target = {0x00, 0x01, 127, 0, 0, 1, 0, 80};
  for (const Case& each :
       {Case{Join({{0x05, 0x00}, target}), 0x07, Errc::kReplyCommandUnsupported},
        Case{Join({{0x05, 0x03}, target}), 0x07, Errc::kReplyCommandUnsupported},  // by this layer
        Case{Join({{0x05, 0xee}, target}), 0x07, Errc::kReplyCommandUnsupported},
        Case{{0x05, 0x01, 0x00, 0x02}, 0x08, Errc::kReplyAddressUnsupported},
        Case{{0x05, 0x01, 0x00, 0x03, 0x00, 0, 0}, 0x01, Errc::kMalformed},
        Case{{0x05, 0x01, 0x01}, 0x01, Errc::kMalformed}, Case{{0x04}, 0x01, Errc::kMalformed}}) {
    Begin();
    Client client, server;
    engine_->Feed(Join({kGreeting, kHello, client.Frame(each.request)}));
    EXPECT_EQ(engine_->error().code(), each.error) << Hex(each.request);
    EXPECT_EQ(Sent(), Join({kChoice, kReady, server.Frame(Refusal(each.reply))}))
        << Hex(each.request);
    EXPECT_EQ(engine_->state(), State::kFailed);
  }
}

TEST_F(ServerEngineTest, AFailureIsAnsweredAndEnds) {
  Client client, server;
  engine_->Feed(Join({kGreeting, kHello, client.Frame(kConnect), client.Frame(Text("early"))}));
  Sent();
  engine_->Answer(Reply::kConnectionRefused, {});
  EXPECT_EQ(Sent(), server.Frame(Refusal(0x05)));
  EXPECT_EQ(engine_->error().code(), Errc::kReplyRefused);
  EXPECT_EQ(Delivered(), Bytes());
  EXPECT_FALSE(engine_->SendPlaintext(AsBytes("x")).ok());
  EXPECT_EQ(Sent(), Bytes());
}

TEST_F(ServerEngineTest, NothingBehindABadFrameIsDelivered) {
  struct Case {
    const char* name;
    Bytes frame;
    Errc error;
  };
  for (const Case& bad :
       {Case{"replayed", {0x01, 0x03, 0x00, 0x02, 0x01, 'x'}, Errc::kIntegrity},
        Case{"missing", {0x01, 0x03, 0x00, 0x02, 0x03, 'x'}, Errc::kIntegrity},
        Case{"no token", {0x01, 0x03, 0x00, 0x00}, Errc::kMalformed},
        Case{"type", {0x01, 0x02, 0x00, 0x02, 0x02, 'x'}, Errc::kMalformed},
        Case{"abort", {0x01, 0xff}, Errc::kMalformed}, Case{"version", {0x05}, Errc::kMalformed}}) {
    Begin();
    Client client;
    Establish(client);
    const Bytes good = client.Frame(Text("good"));
    engine_->Feed(Join({good, bad.frame, client.Frame(Text("behind"))}));
    EXPECT_EQ(engine_->error().code(), bad.error) << bad.name;
    EXPECT_EQ(Delivered(), Text("good")) << bad.name;
    engine_->Feed(client.Frame(Text("behind")));
    EXPECT_EQ(Delivered(), Bytes()) << bad.name;
    EXPECT_FALSE(engine_->SendPlaintext(AsBytes("x")).ok());
    EXPECT_EQ(Sent(), Bytes()) << bad.name;
  }
}

TEST_F(ServerEngineTest, LongPlaintextGoesInEvenFrames) {
  Client client;
  Establish(client);
  const Bytes plain(3 * FramedFakeLayer::kMaxPlain + 1, 'p');
  ASSERT_TRUE(engine_->SendPlaintext(plain).ok());
  const Bytes sent = Sent();
  ByteView rest(sent);
  size_t frames = 0, octets = 0;
  while (!rest.empty()) {
    auto head = ParseFrameHead(rest);
    ASSERT_TRUE(head.ok() && head->size != 0);
    EXPECT_GT(head->size, FramedFakeLayer::kMaxPlain / 2);
    octets += head->size - kFrameHeaderSize - 1;
    rest = rest.subspan(head->size);
    frames++;
  }
  EXPECT_EQ(frames, 4u);
  EXPECT_EQ(octets, plain.size());
}

TEST_F(ServerEngineTest, EmptyPlaintextIsNeverSentAndIsIgnored) {
  Client client;
  Establish(client);
  ASSERT_TRUE(engine_->SendPlaintext({}).ok());
  EXPECT_EQ(Sent(), Bytes());
  engine_->Feed(client.Frame({}));
  EXPECT_EQ(engine_->state(), State::kRelaying);
  EXPECT_EQ(Delivered(), Bytes());
}

TEST_F(ServerEngineTest, BoundsWhatAClientSendsAheadOfTheReply) {
  Client client;
  engine_->Feed(Join({kGreeting, kHello, client.Frame(kConnect)}));
  const Bytes flood(65536, 0x01);
  for (int i = 0; i < 16; i++) engine_->Feed(flood);
  EXPECT_EQ(engine_->state(), State::kFailed);
  EXPECT_EQ(engine_->error().code(), Errc::kMalformed);
}

TEST_F(ServerEngineTest, EmptyFramesAheadOfTheRequestChangeNothing) {
  engine_->Feed(Join({kGreeting, kHello}));
  Client client;
  for (int i = 0; i < 1000; i++) engine_->Feed(client.Frame({}));
  EXPECT_EQ(engine_->state(), State::kNegotiating);
  engine_->Feed(client.Frame(kConnect));
  EXPECT_EQ(engine_->state(), State::kRequest);
}

TEST_F(ServerEngineTest, AnAnswerOutOfTurnIsIgnored) {
  engine_->Answer(Reply::kSucceeded, kBound);
  EXPECT_EQ(Sent(), Bytes());
  EXPECT_EQ(engine_->state(), State::kNegotiating);
  EXPECT_FALSE(engine_->SendPlaintext(AsBytes("x")).ok());
  EXPECT_EQ(engine_->summary().mechanism, "");
}

}  // namespace
}  // namespace socksify
