// ClientEngine against ServerEngine over real Kerberos contexts, cut wherever a network may cut.
#include <algorithm>
#include <string>
#include <utility>

#include "lib/engine/client_engine.h"
#include "lib/engine/server_engine.h"
#include "lib/wire/frame.h"
#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"

namespace socksify {
namespace {

const ServerEndpoint kServer = {kRealmHost, 1080};
const Request kRequest = {Command::kConnect, Address::Name("target.example", 443)};
const Address kBound = Address::Ipv4({192, 0, 2, 1}, 4660);

// Both engines with the octets that are under way.
struct EnginePair {
  Config config;
  ServerPolicy policy;
  std::unique_ptr<ClientEngine> client;
  std::unique_ptr<ServerEngine> server;
  Bytes to_client;
  size_t sent_to_client = 0, sent_to_server = 0;  // since the beginning
  bool read_only_wanted = true;

  explicit EnginePair(std::optional<Request> request = kRequest) {
    client = ClientEngine::New(config, kServer, std::move(request));
    server = ServerEngine::New(policy);
  }

  Bytes FromClient() {
    Bytes octets(client->output().begin(), client->output().end());
    client->ConsumeOutput(octets.size());
    sent_to_server += octets.size();
    return octets;
  }

  void ToServer(ByteView octets) {
    server->Feed(octets);
    if (server->state() == ServerEngine::State::kRequest) {
      server->Answer(Reply::kSucceeded, kBound);
    }
    const Bytes answer = std::exchange(server->output(), {});
    sent_to_client += answer.size();
    Append(to_client, answer);
  }

  // Goes on until nobody has anything to say. What goes to the server comes there in pieces of at
  // most `to_server_portion`, what goes to the client in pieces of at most `to_client_portion`; a
  // piece ends at octet `cut` of its direction, too.
  void Run(size_t to_server_portion = SIZE_MAX, size_t to_client_portion = SIZE_MAX,
           size_t to_server_cut = SIZE_MAX, size_t to_client_cut = SIZE_MAX) {
    size_t at_server = 0, at_client = 0;
    auto piece = [](size_t at, size_t cut, size_t portion, size_t left) {
      const size_t until = at < cut ? cut - at : SIZE_MAX;
      return std::min({portion, left, until});
    };
    for (bool moved = true; moved;) {
      moved = false;
      Bytes octets = FromClient();
      for (ByteView rest = octets; !rest.empty(); moved = true) {
        const size_t count = piece(at_server, to_server_cut, to_server_portion, rest.size());
        ToServer(rest.first(count));
        rest = rest.subspan(count);
        at_server += count;
      }
      while (!to_client.empty() && client->WantedOctets() != 0) {
        size_t count = piece(at_client, to_client_cut, to_client_portion, to_client.size());
        if (read_only_wanted) count = std::min(count, client->WantedOctets());
        client->Feed(ByteView(to_client).first(count));
        to_client.erase(to_client.begin(), to_client.begin() + static_cast<ptrdiff_t>(count));
        at_client += count;
        moved = true;
      }
    }
  }

  bool Established() const {
    return client->state() == ClientEngine::State::kEstablished &&
           server->state() == ServerEngine::State::kRelaying;
  }
  std::string Errors() const {
    return "client: " + client->error().message() + "; server: " + server->error().message();
  }
};

void ExpectRelays(EnginePair& pair) {
  auto layer = pair.client->TakeLayer();
  pair.server->Feed(Sealed(*layer, Text("ping")));
  EXPECT_EQ(AsText(pair.server->plaintext()), "ping") << pair.server->error().message();
  ASSERT_TRUE(pair.server->SendPlaintext(Text("pong")).ok());
  Bytes frame = std::exchange(pair.server->output(), {});
  auto plain = layer->Open(frame);
  ASSERT_TRUE(plain.ok()) << plain.status().message();
  EXPECT_EQ(AsText(*plain), "pong");
}

class EnginePairTest : public RealmTest {};

TEST_F(EnginePairTest, EveryLevelAndNec) {
  for (Protection level :
       {Protection::kIntegrity, Protection::kConfidentiality, Protection::kSelective}) {
    for (bool nec : {false, true}) {
      EnginePair pair;
      pair.config.protection = level;
      pair.config.gss_nec = pair.policy.gss_nec = nec;
      ASSERT_TRUE(pair.client->Prepare().ok()) << pair.Errors();
      pair.Run();
      ASSERT_TRUE(pair.Established()) << pair.Errors();
      EXPECT_EQ(pair.client->method(), Method::kGssapi);
      EXPECT_EQ(pair.client->bound(), kBound);
      EXPECT_EQ(pair.server->request().destination, kRequest.destination);
      EXPECT_EQ(pair.server->summary().client_principal, "alice@SOCKS.TEST");
      EXPECT_EQ(pair.client->summary().level, pair.server->summary().level);
      ExpectRelays(pair);
      EXPECT_EQ(pair.client->summary().client_principal, "alice@SOCKS.TEST");  // still there
    }
  }
}

TEST_F(EnginePairTest, EveryPortionSize) {
  for (bool wanted : {true, false}) {
    for (size_t portion = 1; portion < 90; portion++) {
      EnginePair pair;
      pair.read_only_wanted = wanted;
      ASSERT_TRUE(pair.client->Prepare().ok());
      pair.Run(portion, portion);
      ASSERT_TRUE(pair.Established()) << portion << ": " << pair.Errors();
    }
  }
}

TEST_F(EnginePairTest, EverySplitPoint) {
  EnginePair whole;
  ASSERT_TRUE(whole.client->Prepare().ok());
  whole.Run();
  ASSERT_TRUE(whole.Established()) << whole.Errors();
  const size_t longest = std::max(whole.sent_to_server, whole.sent_to_client);
  EXPECT_GT(longest, 500u);
  for (size_t cut = 1; cut < longest; cut++) {
    EnginePair pair;
    ASSERT_TRUE(pair.client->Prepare().ok());
    pair.Run(SIZE_MAX, SIZE_MAX, cut, cut);
    ASSERT_TRUE(pair.Established()) << cut << ": " << pair.Errors();
  }
}

TEST_F(EnginePairTest, FramesBehindTheReplyAreNotTaken) {
  EnginePair pair;
  ASSERT_TRUE(pair.client->Prepare().ok());
  // The reply waits in to_client, with a frame of the application behind it.
  while (pair.server->state() != ServerEngine::State::kRelaying) {
    const Bytes octets = pair.FromClient();
    ASSERT_FALSE(octets.empty()) << pair.Errors();
    pair.ToServer(octets);
    if (pair.server->state() == ServerEngine::State::kRelaying) break;
    while (!pair.to_client.empty()) {
      const size_t count = std::min(pair.client->WantedOctets(), pair.to_client.size());
      pair.client->Feed(ByteView(pair.to_client).first(count));
      pair.to_client.erase(pair.to_client.begin(),
                           pair.to_client.begin() + static_cast<ptrdiff_t>(count));
    }
  }
  ASSERT_TRUE(pair.server->SendPlaintext(Text("banner")).ok());
  Bytes frame = std::exchange(pair.server->output(), {});
  Append(pair.to_client, frame);
  pair.Run();
  ASSERT_TRUE(pair.Established()) << pair.Errors();
  EXPECT_EQ(pair.to_client, frame);
  EXPECT_TRUE(pair.client->TakeEarlyData().empty());
  auto layer = pair.client->TakeLayer();
  EXPECT_EQ(AsText(*layer->Open(frame)), "banner");
}

TEST_F(EnginePairTest, TheClientsEofIsAnErrorUntilTheRequest) {
  EnginePair pair;
  ASSERT_TRUE(pair.client->Prepare().ok());
  pair.ToServer(pair.FromClient());
  pair.server->FeedEof();
  EXPECT_EQ(pair.server->error().code(), Errc::kTruncated);
}

TEST_F(EnginePairTest, ARefusalComesThroughSealed) {
  for (uint8_t reply = 1; reply <= 8; reply++) {
    EnginePair pair;
    ASSERT_TRUE(pair.client->Prepare().ok());
    Bytes to_client;
    while (pair.server->state() == ServerEngine::State::kNegotiating) {
      const Bytes octets = pair.FromClient();
      ASSERT_FALSE(octets.empty()) << pair.Errors();
      pair.server->Feed(octets);
      if (pair.server->state() == ServerEngine::State::kRequest) break;
      pair.client->Feed(std::exchange(pair.server->output(), {}));
    }
    pair.server->Answer(static_cast<Reply>(reply), {});
    pair.client->Feed(std::exchange(pair.server->output(), {}));
    EXPECT_EQ(pair.client->error().code(), ReplyErrc(static_cast<Reply>(reply)));
  }
}

TEST_F(EnginePairTest, ALevelTooLowIsRefusedAndTheAbortStillSent) {
  EnginePair pair;
  pair.policy.levels = {};
  ASSERT_TRUE(pair.client->Prepare().ok());
  pair.Run();
  EXPECT_EQ(pair.server->error().code(), Errc::kPolicy);
  EXPECT_EQ(pair.client->error().code(), Errc::kAuthentication) << pair.Errors();
}

// The client engine with a server that the test plays, from MIT's context.
class ClientAtPeerTest : public RealmTest {
 protected:
  // Up to the request, which is on its way.
  void Begin() {
    peer_ = {};
    engine_ = ClientEngine::New(config_, kServer, kRequest);
    ASSERT_TRUE(engine_->Prepare().ok()) << engine_->error().message();
    EXPECT_EQ(Hex(Sent()), "050101");
    Feed(Bytes{5, 1});
    Feed(Message(1, peer_.Accept(TokenOf(Sent()))));
    EXPECT_EQ(peer_.Unwrap(TokenOf(Sent())).plain, Bytes{2});
    Feed(Message(2, peer_.Wrap({2}, false)));
    const GssPeer::Unwrapped request = peer_.Unwrap(TokenOf(engine_->output()));
    EXPECT_TRUE(request.good && request.confidential);
    EXPECT_EQ(Hex(request.plain), "050100030e" + Hex(Text("target.example")) + "01bb");
    EXPECT_EQ(TokenOf(engine_->output()).size() + kFrameHeaderSize, engine_->output().size());
    Sent();
  }

  Bytes Sent() {
    Bytes sent(engine_->output().begin(), engine_->output().end());
    engine_->ConsumeOutput(sent.size());
    return sent;
  }

  // As much of it as is wanted; returns the rest.
  ByteView Feed(ByteView octets) {
    while (!octets.empty() && engine_->WantedOctets() != 0) {
      const size_t count = std::min(engine_->WantedOctets(), octets.size());
      engine_->Feed(octets.first(count));
      octets = octets.subspan(count);
    }
    return octets;
  }

  Bytes Frame(ByteView plain, bool confidential = true) {
    return Message(3, peer_.Wrap(plain, confidential));
  }

  const Bytes reply_ = {5, 0, 0, 1, 192, 0, 2, 1, 0x12, 0x34};
  Config config_;
  GssPeer peer_;
  std::unique_ptr<ClientEngine> engine_;
};

TEST_F(ClientAtPeerTest, EarlyDataInTheReplysFrame) {
  Begin();
  Bytes plain = reply_;
  Append(plain, Text("220 ready"));
  Bytes octets = Frame(plain);
  Append(octets, Text("next frame"));
  EXPECT_EQ(AsText(Feed(octets)), "next frame");
  ASSERT_EQ(engine_->state(), ClientEngine::State::kEstablished) << engine_->error().message();
  EXPECT_EQ(engine_->bound(), kBound);
  EXPECT_EQ(AsText(engine_->TakeEarlyData()), "220 ready");
  EXPECT_TRUE(engine_->TakeEarlyData().empty());
}

TEST_F(ClientAtPeerTest, AReplyCutOverFrames) {
  for (size_t cut = 1; cut < reply_.size(); cut++) {
    Begin();
    Feed(Frame(ByteView(reply_).first(cut)));
    EXPECT_EQ(engine_->state(), ClientEngine::State::kNegotiating);
    Feed(Frame({}));  // an empty plaintext means nothing
    Feed(Frame(ByteView(reply_).subspan(cut)));
    EXPECT_EQ(engine_->state(), ClientEngine::State::kEstablished) << engine_->error().message();
  }
}

TEST_F(ClientAtPeerTest, ShortFailures) {
  for (size_t length = 2; length <= 10; length++) {
    Begin();
    const Bytes reply = {5, 2, 0, 1, 0, 0, 0, 0, 0, 0};
    Feed(Frame(ByteView(reply).first(length)));
    EXPECT_EQ(engine_->state() == ClientEngine::State::kFailed, length == 10);
    engine_->FeedEof();
    EXPECT_EQ(engine_->error().code(), Errc::kReplyNotAllowed) << length;
  }
}

TEST_F(ClientAtPeerTest, EndsAndAbortsInsteadOfTheReply) {
  const struct {
    const char* what;
    Bytes octets;
    Errc error;
  } kTable[] = {
      {"nothing", {}, Errc::kServerClosed},
      {"part of a header", {1, 3, 0}, Errc::kServerClosed},
      {"part of a frame", {1, 3, 0, 70, 5, 4}, Errc::kServerClosed},
      {"abort", {1, 0xff}, Errc::kAuthentication},
      {"an empty frame", {1, 3, 0, 0}, Errc::kMalformed},
      {"another type", {1, 2, 0, 1, 2}, Errc::kMalformed},
      {"another version", {5, 0, 0, 1}, Errc::kMalformed},
      {"garbage", {1, 3, 0, 3, 1, 2, 3}, Errc::kIntegrity},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.what);
    Begin();
    Feed(row.octets);
    engine_->FeedEof();
    EXPECT_EQ(engine_->state(), ClientEngine::State::kFailed);
    EXPECT_EQ(engine_->error().code(), row.error) << engine_->error().message();
  }
}

TEST_F(ClientAtPeerTest, AReplyThatIsNotSealedAsAgreed) {
  Begin();
  Feed(Frame(reply_, /*confidential=*/false));
  EXPECT_EQ(engine_->error().code(), Errc::kPolicy) << engine_->error().message();
  Begin();
  peer_.Wrap(reply_, true);  // the first frame is lost
  Feed(Frame(reply_));
  EXPECT_EQ(engine_->error().code(), Errc::kIntegrity) << engine_->error().message();
}

TEST_F(ClientAtPeerTest, EofAtEachStage) {
  engine_ = ClientEngine::New(config_, kServer, kRequest);
  ASSERT_TRUE(engine_->Prepare().ok());
  engine_->FeedEof();
  EXPECT_EQ(engine_->error().code(), Errc::kServerClosed);
  EXPECT_EQ(Hex(engine_->output()), "050101");  // pending output is still there

  engine_ = ClientEngine::New(config_, kServer, kRequest);
  ASSERT_TRUE(engine_->Prepare().ok());
  Feed(Bytes{5, 1});
  engine_->FeedEof();
  EXPECT_EQ(engine_->error().code(), Errc::kServerClosed);
}

TEST_F(ClientAtPeerTest, WithoutATicketNothingIsOffered) {
  ScopedVariable variable("KRB5CCNAME", "FILE:/nonexistent/ccache");
  engine_ = ClientEngine::New(config_, kServer, kRequest);
  const Status status = engine_->Prepare();
  EXPECT_EQ(status.code(), Errc::kCredentials);
  EXPECT_NE(status.message().find("kinit"), std::string::npos) << status.message();
  EXPECT_TRUE(engine_->output().empty());
  EXPECT_EQ(engine_->state(), ClientEngine::State::kFailed);
}

}  // namespace
}  // namespace socksify
