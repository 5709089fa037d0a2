// BIND and UDP ASSOCIATE in both engines, against each other and cut at every octet.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lib/engine/client_engine.h"
#include "lib/engine/datagram_codec.h"
#include "lib/engine/server_engine.h"
#include "tests/unit/gss_pair.h"
#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

using ClientState = ClientEngine::State;
using ServerState = ServerEngine::State;

const ServerEndpoint kServer = {kRealmHost, 1080};
const Request kBind = {Command::kBind, Address::Ipv4({192, 0, 2, 9}, 20)};
const Request kAssociate = {Command::kUdpAssociate, Address::Ipv4({0, 0, 0, 0}, 0)};
const Address kBound = Address::Ipv4({192, 0, 2, 1}, 4660);
const Address kPeer = Address::Ipv4({192, 0, 2, 9}, 20);
const Address kTarget = Address::Name("target.example", 53);

// Both engines, by one method.
struct Engines {
  Config config;
  ServerPolicy policy;
  std::unique_ptr<ClientEngine> client;
  std::unique_ptr<ServerEngine> server;

  Engines(Method method, Request request, bool naked = true) {
    config.methods = policy.methods = {method};
    config.ssl_udp_naked = policy.udp_naked = naked;
    if (method == Method::kSsl) {
      config.tls_ca = TestPki().ca.file();
      const std::string file = TestPki().server.file();
      auto credential = AcquireSslAcceptorCredential(file, file, {}, {});
      EXPECT_TRUE(credential.ok()) << credential.status().message();
      policy.ssl_credential = *credential;
    }
    client = ClientEngine::New(config, kServer, std::move(request));
    server = ServerEngine::New(policy);
  }

  // Until nobody has anything to say; what goes to the client goes by no more than `portion`.
  void Run(size_t portion = SIZE_MAX) {
    for (bool moved = true; moved;) {
      const Bytes up(client->output().begin(), client->output().end());
      client->ConsumeOutput(up.size());
      if (!up.empty()) server->Feed(up);
      Append(to_client, std::exchange(server->output(), {}));
      moved = !up.empty();
      while (!to_client.empty() && client->WantedOctets() != 0) {
        const size_t count = std::min({portion, client->WantedOctets(), to_client.size()});
        client->Feed(ByteView(to_client).first(count));
        to_client.erase(to_client.begin(), to_client.begin() + static_cast<ptrdiff_t>(count));
        moved = true;
      }
    }
  }

  // Up to the request.
  bool Ask() {
    EXPECT_TRUE(client->Prepare().ok()) << Errors();
    Run();
    return server->state() == ServerState::kRequest;
  }

  std::string Errors() const {
    return "client: " + client->error().message() + "; server: " + server->error().message();
  }

  Bytes to_client;
};

class EngineCommandsTest : public RealmTest {
 protected:
  static constexpr Method kMethods[] = {Method::kNone, Method::kGssapi, Method::kSsl};

  static void ExpectRelays(Engines& pair) {
    ASSERT_EQ(pair.client->state(), ClientState::kEstablished) << pair.Errors();
    ASSERT_EQ(pair.server->state(), ServerState::kRelaying) << pair.Errors();
    auto layer = pair.client->TakeLayer();
    pair.server->Feed(Sealed(*layer, Text("ping")));
    EXPECT_EQ(AsText(pair.server->plaintext()), "ping") << pair.server->error().message();
  }
};

TEST_F(EngineCommandsTest, BindHasTwoReplies) {
  for (Method method : kMethods) {
    for (size_t portion : {size_t{1}, size_t{3}, SIZE_MAX}) {
      SCOPED_TRACE(std::string(MethodName(method)) + " " + std::to_string(portion));
      Engines pair(method, kBind);
      ASSERT_TRUE(pair.Ask()) << pair.Errors();
      EXPECT_EQ(pair.server->request().command, Command::kBind);
      EXPECT_EQ(pair.server->request().destination, kBind.destination);
      EXPECT_FALSE(pair.client->listening());
      pair.server->Answer(Reply::kSucceeded, kBound);
      EXPECT_EQ(pair.server->state(), ServerState::kListening);
      EXPECT_FALSE(pair.server->SendPlaintext(Text("early")).ok());
      pair.Run(portion);
      EXPECT_TRUE(pair.client->listening()) << pair.Errors();
      EXPECT_EQ(pair.client->state(), ClientState::kNegotiating);
      EXPECT_EQ(pair.client->bound(), kBound);
      EXPECT_NE(pair.client->WantedOctets(), 0u);
      pair.server->Answer(Reply::kSucceeded, kPeer);
      pair.Run(portion);
      EXPECT_FALSE(pair.client->listening());
      EXPECT_EQ(pair.client->bound(), kBound);
      EXPECT_EQ(pair.client->peer(), kPeer);
      EXPECT_TRUE(pair.client->TakeEarlyData().empty());
      ExpectRelays(pair);
    }
  }
}

TEST_F(EngineCommandsTest, BothRepliesAndDataMayComeAtOnce) {
  for (Method method : kMethods) {
    Engines pair(method, kBind);
    ASSERT_TRUE(pair.Ask()) << pair.Errors();
    pair.server->Answer(Reply::kSucceeded, kBound);
    pair.server->Answer(Reply::kSucceeded, kPeer);
    ASSERT_TRUE(pair.server->SendPlaintext(Text("banner")).ok());
    pair.Run();
    ASSERT_EQ(pair.client->state(), ClientState::kEstablished) << pair.Errors();
    EXPECT_EQ(pair.client->peer(), kPeer);
    // What is behind the reply is the application's, and still there.
    auto layer = pair.client->TakeLayer();
    auto codec = NewCodec(std::move(layer));
    codec->Feed(pair.to_client);
    EXPECT_EQ(AsText(codec->plaintext()), "banner") << codec->error().message();
  }
}

TEST_F(EngineCommandsTest, BothRepliesInOneFrame) {
  Engines pair(Method::kNone, kBind);
  ASSERT_TRUE(pair.Ask());
  pair.server->Answer(Reply::kSucceeded, kBound);
  pair.server->Answer(Reply::kSucceeded, kPeer);
  Append(pair.to_client, std::exchange(pair.server->output(), {}));
  pair.client->Feed(pair.to_client);  // more than was wanted
  EXPECT_EQ(pair.client->state(), ClientState::kEstablished);
  EXPECT_EQ(pair.client->bound(), kBound);
  EXPECT_EQ(pair.client->peer(), kPeer);
}

TEST_F(EngineCommandsTest, EitherReplyMayRefuse) {
  for (Method method : kMethods) {
    for (bool second : {false, true}) {
      for (uint8_t reply = 1; reply <= 8; reply++) {
        Engines pair(method, kBind);
        ASSERT_TRUE(pair.Ask());
        if (second) pair.server->Answer(Reply::kSucceeded, kBound);
        pair.server->Answer(static_cast<Reply>(reply), {});
        EXPECT_EQ(pair.server->state(), ServerState::kFailed);
        pair.Run();
        // 07 is EOPNOTSUPP here: protocol.md section 4.
        EXPECT_EQ(pair.client->error().code(),
                  reply == 7 ? Errc::kUnsupported : ReplyErrc(static_cast<Reply>(reply)));
      }
    }
  }
}

TEST_F(EngineCommandsTest, TheEndBeforeTheSecondReplyIsAnError) {
  for (Method method : kMethods) {
    Engines pair(method, kBind);
    ASSERT_TRUE(pair.Ask());
    pair.server->Answer(Reply::kSucceeded, kBound);
    pair.Run();
    ASSERT_TRUE(pair.client->listening());
    pair.client->FeedEof();
    EXPECT_EQ(pair.client->error().code(), Errc::kServerClosed);
    EXPECT_FALSE(pair.client->listening());
    pair.server->FeedEof();
    EXPECT_EQ(pair.server->error().code(), Errc::kTruncated);
    EXPECT_EQ(pair.server->state(), ServerState::kFailed);
  }
}

TEST_F(EngineCommandsTest, AShortSecondReplyThatRefuses) {
  Engines pair(Method::kNone, kBind);
  ASSERT_TRUE(pair.Ask());
  pair.server->Answer(Reply::kSucceeded, kBound);
  pair.Run();
  pair.client->Feed(Bytes{0x05, 0x05});
  EXPECT_EQ(pair.client->state(), ClientState::kNegotiating);
  pair.client->FeedEof();
  EXPECT_EQ(pair.client->error().code(), Errc::kReplyRefused);
}

TEST_F(EngineCommandsTest, WhatTheClientSendsAheadIsForThePeer) {
  Engines pair(Method::kNone, kBind);
  ASSERT_TRUE(pair.Ask());
  pair.server->Feed(Text("1"));
  pair.server->Answer(Reply::kSucceeded, kBound);
  pair.server->Feed(Text("2"));
  EXPECT_TRUE(pair.server->plaintext().empty());
  pair.server->Answer(Reply::kSucceeded, kPeer);
  pair.server->Feed(Text("3"));
  EXPECT_EQ(AsText(pair.server->plaintext()), "123");
}

TEST_F(EngineCommandsTest, ButNotWithoutBound) {
  Engines pair(Method::kNone, kBind);
  ASSERT_TRUE(pair.Ask());
  pair.server->Answer(Reply::kSucceeded, kBound);
  for (int i = 0; i < 16; i++) pair.server->Feed(Bytes(65536, 'x'));
  EXPECT_EQ(pair.server->error().code(), Errc::kMalformed);
}

TEST_F(EngineCommandsTest, AssociatesAndRelaysDatagrams) {
  for (Method method : kMethods) {
    for (size_t portion : {size_t{1}, SIZE_MAX}) {
      SCOPED_TRACE(MethodName(method));
      Engines pair(method, kAssociate);
      ASSERT_TRUE(pair.Ask()) << pair.Errors();
      EXPECT_EQ(pair.server->request().command, Command::kUdpAssociate);
      pair.server->Answer(Reply::kSucceeded, kBound);
      EXPECT_EQ(pair.server->state(), ServerState::kAssociated);
      pair.Run(portion);
      ASSERT_EQ(pair.client->state(), ClientState::kEstablished) << pair.Errors();
      EXPECT_EQ(pair.client->bound(), kBound);
      auto layer = pair.client->TakeLayer();
      EXPECT_EQ(layer->ordered(), method != Method::kGssapi);
      SecurityLayer *from = layer.get(), *to = &pair.server->layer();
      for (int way = 0; way < 2; way++, std::swap(from, to)) {
        Bytes datagram;
        ASSERT_TRUE(SealDatagram(*from, kTarget, Text("data"), &datagram).ok());
        auto opened = OpenDatagram(*to, datagram);
        ASSERT_TRUE(opened.ok()) << opened.status().message();
        EXPECT_EQ(opened->address, kTarget);
        EXPECT_EQ(AsText(opened->data), "data");
      }
      EXPECT_FALSE(pair.server->SendPlaintext(Text("x")).ok());
      pair.server->Feed(Sealed(*layer, Text("nothing is due here")));
      EXPECT_TRUE(pair.server->plaintext().empty());
      EXPECT_EQ(pair.server->state(), ServerState::kAssociated) << pair.Errors();
      Bytes end;
      ASSERT_TRUE(layer->Close(&end).ok());
      pair.server->Feed(end);
      EXPECT_EQ(pair.server->peer_closed(), method == Method::kSsl);
      pair.server->FeedEof();
      EXPECT_TRUE(pair.server->error().ok()) << pair.Errors();
    }
  }
}

TEST_F(EngineCommandsTest, ABadFrameEndsAnAssociation) {
  Engines pair(Method::kGssapi, kAssociate);
  ASSERT_TRUE(pair.Ask());
  pair.server->Answer(Reply::kSucceeded, kBound);
  pair.Run();
  pair.server->Feed(Bytes{0x01, 0x03, 0x00, 0x01, 'x'});
  EXPECT_EQ(pair.server->state(), ServerState::kFailed);

  Engines cut(Method::kGssapi, kAssociate);
  ASSERT_TRUE(cut.Ask());
  cut.server->Answer(Reply::kSucceeded, kBound);
  cut.server->Feed(Bytes{0x01, 0x03});
  cut.server->FeedEof();
  EXPECT_EQ(cut.server->error().code(), Errc::kTruncated);
}

TEST_F(EngineCommandsTest, UnderSslOnlyWhereBothAgreeToSendInClear) {
  Engines pair(Method::kSsl, kAssociate, /*naked=*/false);
  EXPECT_EQ(pair.client->Prepare().code(), Errc::kPolicy);  // the server is not even asked
  EXPECT_TRUE(pair.client->output().empty());

  Engines refused(Method::kSsl, kAssociate);
  refused.policy.udp_naked = false;
  EXPECT_FALSE(refused.Ask());
  EXPECT_EQ(refused.client->error().code(), Errc::kUnsupported) << refused.Errors();

  Engines bind(Method::kSsl, kBind, /*naked=*/false);
  EXPECT_TRUE(bind.Ask()) << bind.Errors();
}

// A client that does not care: its own engine would not send this.
TEST_F(EngineCommandsTest, TheServerRefusesDatagramsThatSslCannotProtect) {
  SslPair tls;
  tls.initiator.udp_naked = false;
  tls.Make();
  ServerPolicy policy;
  policy.methods = {Method::kSsl};
  policy.udp_naked = true;
  policy.ssl_credential = tls.acceptor.credential;
  auto server = ServerEngine::New(policy);
  server->Feed(Bytes{0x05, 0x01, 0x86});
  server->output().clear();
  for (Bytes up = tls.client.Go(); !up.empty();) {
    server->Feed(up);
    up = tls.client.Take(std::exchange(server->output(), {}));
  }
  ASSERT_TRUE(tls.client.established) << tls.Errors();
  Bytes request;
  ASSERT_TRUE(AppendRequest(request, kAssociate).ok());
  server->Feed(Sealed(*tls.client.layer, request));
  EXPECT_EQ(server->error().code(), Errc::kReplyCommandUnsupported);
  auto reply = OpenAll(*tls.client.layer, std::exchange(server->output(), {}));
  ASSERT_TRUE(reply.ok()) << reply.status().message();
  EXPECT_EQ(Hex(*reply), "05070001000000000000");
}

// RFC 1961 section 6: without the order of frames a stream could be changed.
TEST_F(EngineCommandsTest, ASessionWithoutOrderIsForDatagramsAlone) {
  for (Command command : {Command::kConnect, Command::kBind, Command::kUdpAssociate}) {
    for (bool ordered : {false, true}) {
      GssPair gss({.ordered = ordered});
      ServerPolicy policy;
      auto server = ServerEngine::New(policy);
      server->Feed(Bytes{0x05, 0x01, 0x01});
      server->output().clear();
      for (Bytes up = gss.client.Go(); !up.empty();) {
        server->Feed(up);
        up = gss.client.Take(std::exchange(server->output(), {}));
      }
      ASSERT_TRUE(gss.client.established) << gss.Errors();
      Bytes request;
      ASSERT_TRUE(AppendRequest(request, {command, kTarget}).ok());
      server->Feed(Sealed(*gss.client.layer, request));
      const bool served = ordered || command == Command::kUdpAssociate;
      EXPECT_EQ(server->state(), served ? ServerState::kRequest : ServerState::kFailed);
      if (served) continue;
      auto reply = OpenAll(*gss.client.layer, std::exchange(server->output(), {}));
      ASSERT_TRUE(reply.ok());
      EXPECT_EQ((*reply)[1], 7);
    }
  }
}

}  // namespace
}  // namespace socksify
