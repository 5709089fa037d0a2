// The GSS-API negotiation against MIT's own library as a peer that errs or lies (RFC 1961 sections
// 3 and 4). What fails must fail with the right error; a server says so with an abort, 01 FF.
#include <string>
#include <vector>

#include "lib/security/gss_layer.h"
#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;

const Bytes kAbort = {0x01, 0xff};

// Our initiator; the test plays the server.
struct Client : Side {
  GssPeer peer;

  explicit Client(Level asked = Level::kConfidentiality, bool nec = false) {
    layer = NewGssInitiator({.server_host = kRealmHost, .level = asked, .nec = nec});
  }
  Bytes Begin() { return peer.Accept(TokenOf(Go())); }   // the server's token
  Bytes ToLevel() { return Take(Message(1, Begin())); }  // the client's level message
  Bytes Answer(ByteView level, bool confidential = false) {
    return Message(2, peer.Wrap(level, confidential));
  }
};

// Our acceptor; the test plays the client.
struct Server : Side {
  GssPeer peer;

  explicit Server(bool nec = false) { layer = NewGssAcceptor({.credential = nullptr, .nec = nec}); }
  void ToLevel() {
    const Bytes token = Take(Message(1, peer.Initiate({})));
    peer.Initiate(TokenOf(token));
    EXPECT_TRUE(peer.complete());
  }
};

class GssNegotiationTest : public RealmTest {};

TEST_F(GssNegotiationTest, ClientTakesWhatMitSends) {
  Client client;
  const Bytes level = client.ToLevel();
  const GssPeer::Unwrapped asked = client.peer.Unwrap(TokenOf(level));
  EXPECT_TRUE(asked.good);
  EXPECT_EQ(asked.plain, Bytes{2});
  EXPECT_FALSE(asked.confidential);  // section 4.3: conf_req_flag FALSE
  EXPECT_TRUE(client.Take(client.Answer(Bytes{2})).empty());
  EXPECT_TRUE(client.established);
}

TEST_F(GssNegotiationTest, ServerTakesWhatMitSends) {
  Server server;
  server.ToLevel();
  const Bytes reply = server.Take(Message(2, server.peer.Wrap({1}, false)));
  EXPECT_TRUE(server.established);
  const GssPeer::Unwrapped agreed = server.peer.Unwrap(TokenOf(reply));
  EXPECT_TRUE(agreed.good);
  EXPECT_EQ(agreed.plain, Bytes{1});
  EXPECT_FALSE(agreed.confidential);
}

// Every portion size, and WantedOctets as the measure of what may be read.
TEST_F(GssNegotiationTest, ReadsNeverBeyondTheEnd) {
  for (size_t portion = 1; portion < 9; portion++) {
    Client client;
    const Bytes token = client.Begin();
    auto feed = [&](const Bytes& octets) {
      Bytes output;
      for (size_t at = 0; at < octets.size();) {
        const size_t wanted = client.layer->WantedOctets();
        EXPECT_GE(wanted, 1u);
        EXPECT_LE(wanted, octets.size() - at) << "at " << at;
        const size_t count = std::min(std::min(portion, wanted), octets.size() - at);
        Append(output, client.Take(ByteView(octets).subspan(at, count)));
        at += count;
      }
      return output;
    };
    EXPECT_FALSE(feed(Message(1, token)).empty());
    feed(client.Answer(Bytes{2}));
    EXPECT_TRUE(client.established) << client.error.message();
  }
}

TEST_F(GssNegotiationTest, OctetsBehindTheEndAreLeft) {
  Client client;
  client.ToLevel();
  Bytes octets = client.Answer(Bytes{2});
  Append(octets, Text("behind"));
  client.Take(octets);
  EXPECT_TRUE(client.established);
  EXPECT_EQ(AsText(client.input), "behind");

  Server server;
  server.ToLevel();
  octets = Message(2, server.peer.Wrap({2}, false));
  Append(octets, Text("ahead"));
  server.Take(octets);
  EXPECT_TRUE(server.established);
  EXPECT_EQ(AsText(server.input), "ahead");
}

TEST_F(GssNegotiationTest, AbortsAreHeardAtEveryStage) {
  for (bool at_level : {false, true}) {
    Client client;
    if (at_level) {
      client.ToLevel();
    } else {
      client.Go();
    }
    EXPECT_TRUE(client.Take(kAbort).empty());
    EXPECT_EQ(client.error.code(), Errc::kAuthentication);
    Server server;
    if (at_level) server.ToLevel();
    EXPECT_TRUE(server.Take(kAbort).empty());  // no answer to an abort
    EXPECT_EQ(server.error.code(), Errc::kAuthentication);
  }
}

TEST_F(GssNegotiationTest, AnAbortIsHeardAtItsSecondOctet) {
  Client client;
  client.ToLevel();
  client.Take(Bytes{0x01});
  EXPECT_EQ(client.layer->WantedOctets(), 1u);
  client.Take(Bytes{0xff});
  EXPECT_EQ(client.error.code(), Errc::kAuthentication);
}

TEST_F(GssNegotiationTest, FailuresStay) {
  Client client;
  client.ToLevel();
  client.Take(kAbort);
  size_t consumed = 0;
  Bytes output;
  const Bytes good = client.Answer(Bytes{2});
  EXPECT_EQ(client.layer->Negotiate(good, &consumed, &output).status().code(),
            Errc::kAuthentication);
  EXPECT_EQ(consumed, 0u);
  EXPECT_TRUE(output.empty());
}

TEST_F(GssNegotiationTest, ClientRefusesWrongMessagesInsteadOfTheContext) {
  const struct {
    const char* what;
    Bytes message;
    Errc error;
  } kTable[] = {
      {"version 0", {0, 1, 0, 1, 7}, Errc::kMalformed},
      {"version 5, as of a SOCKS reply", {5, 1, 0, 1, 7}, Errc::kMalformed},
      {"type 0", {1, 0, 0, 1, 7}, Errc::kMalformed},
      {"a level too early", {1, 2, 0, 1, 2}, Errc::kMalformed},
      {"data too early", {1, 3, 0, 1, 7}, Errc::kMalformed},
      {"type 0xfe", {1, 0xfe, 0, 1, 7}, Errc::kMalformed},
      {"no token", {1, 1, 0, 0}, Errc::kAuthentication},
      {"a token that is none", {1, 1, 0, 3, 1, 2, 3}, Errc::kAuthentication},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.what);
    Client client;
    client.Go();
    EXPECT_TRUE(client.Take(row.message).empty());
    EXPECT_EQ(client.error.code(), row.error) << client.error.message();
  }
}

TEST_F(GssNegotiationTest, ClientRefusesAnAlteredServerToken) {
  for (size_t at = 0; at < 150; at += 7) {
    Client client;
    Bytes token = client.Begin();
    token[at % token.size()] ^= 0x01;
    client.Take(Message(1, token));
    EXPECT_EQ(client.error.code(), Errc::kAuthentication) << at << client.error.message();
  }
}

TEST_F(GssNegotiationTest, ClientToleratesOneStrayAcknowledgement) {
  Client client;
  client.ToLevel();
  EXPECT_TRUE(client.Take(Message(1, {})).empty());
  EXPECT_TRUE(client.error.ok()) << client.error.message();
  client.Take(client.Answer(Bytes{2}));
  EXPECT_TRUE(client.established);

  Client second;
  second.ToLevel();
  second.Take(Message(1, {}));
  second.Take(Message(1, {}));
  EXPECT_EQ(second.error.code(), Errc::kMalformed);

  Client full;
  full.ToLevel();
  full.Take(Message(1, Text("token")));
  EXPECT_EQ(full.error.code(), Errc::kMalformed);
}

// Each level asked for with well-sealed answers of a server that may be old, broken or hostile.
TEST_F(GssNegotiationTest, ClientRefusesLevelsItsPolicyDoesNotAccept) {
  for (Level asked : {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}) {
    for (int answer : {0, 1, 2, 3, 4, 5, 127, 128, 254, 255}) {
      SCOPED_TRACE(std::string(ProtectionLevelName(asked)) + " " + std::to_string(answer));
      const bool good = asked == Level::kIntegrity         ? answer == 1 || answer == 2
                        : asked == Level::kConfidentiality ? answer == 2
                                                           : answer >= 1 && answer <= 3;
      for (bool nec : {false, true}) {
        Client client(asked, nec);
        client.ToLevel();
        const Bytes octet = {static_cast<uint8_t>(answer)};
        client.Take(nec ? Message(2, octet) : client.Answer(octet));
        EXPECT_EQ(client.established, good);
        EXPECT_EQ(client.error.code(), good ? Errc::kOk : Errc::kPolicy) << client.error.message();
      }
    }
  }
}

TEST_F(GssNegotiationTest, ClientTakesALevelSealedWithConfidentiality) {
  Client client;
  client.ToLevel();
  client.Take(client.Answer(Bytes{2}, /*confidential=*/true));  // as Jargyle does
  EXPECT_TRUE(client.established) << client.error.message();
}

TEST_F(GssNegotiationTest, ClientRefusesAnswersThatAreNoLevel) {
  struct Row {
    const char* what;
    Bytes (*make)(Client&);
    Errc error;
  };
  const Row kTable[] = {
      {"in clear", [](Client&) { return Message(2, Bytes{2}); }, Errc::kIntegrity},
      {"empty", [](Client&) { return Message(2, {}); }, Errc::kIntegrity},
      {"garbage", [](Client&) { return Message(2, Bytes(29, 0x05)); }, Errc::kIntegrity},
      {"two octets",
       [](Client& c) {
         return c.Answer(Bytes{2, 2});
       },
       Errc::kMalformed},
      {"none", [](Client& c) { return c.Answer({}); }, Errc::kMalformed},
      {"cut",
       [](Client& c) {
         Bytes token = c.peer.Wrap({2}, false);
         token.pop_back();
         return Message(2, token);
       },
       Errc::kIntegrity},
      {"out of sequence",
       [](Client& c) {
         c.peer.Wrap({2}, false);  // the first is lost
         return c.Answer(Bytes{2});
       },
       Errc::kIntegrity},
      {"data", [](Client& c) { return Message(3, c.peer.Wrap({2}, false)); }, Errc::kMalformed},
  };
  for (const Row& row : kTable) {
    SCOPED_TRACE(row.what);
    Client client;
    client.ToLevel();
    EXPECT_TRUE(client.Take(row.make(client)).empty());
    EXPECT_EQ(client.error.code(), row.error) << client.error.message();
  }
}

TEST_F(GssNegotiationTest, ClientRefusesItsOwnLevelReflected) {
  Client client;
  const Bytes own = client.ToLevel();
  client.Take(own);
  EXPECT_EQ(client.error.code(), Errc::kIntegrity) << client.error.message();
}

TEST_F(GssNegotiationTest, ClientRefusesEveryAlteredOctetOfTheLevel) {
  for (size_t at = 0; at < 29; at++) {
    if (at >= 6 && at < 8) continue;  // RRC, which rotates the token and is not under the checksum
    Client client;
    client.ToLevel();
    Bytes token = client.peer.Wrap({2}, false);
    ASSERT_EQ(token.size(), 29u);
    token[at] ^= 0x80;
    client.Take(Message(2, token));
    EXPECT_EQ(client.error.code(), Errc::kIntegrity) << at << ": " << client.error.message();
  }
}

TEST_F(GssNegotiationTest, ServerAbortsInEveryFailureBeforeTheContext) {
  const struct {
    const char* what;
    Bytes message;
    Errc error;
  } kTable[] = {
      {"version", {5}, Errc::kMalformed},
      {"type 0", {1, 0, 0, 1, 7}, Errc::kMalformed},
      {"a level too early", {1, 2, 0, 1, 2}, Errc::kMalformed},
      {"data too early", {1, 3, 0, 1, 7}, Errc::kMalformed},
      {"type 0xfe", {1, 0xfe, 0, 1, 7}, Errc::kMalformed},
      {"no token", {1, 1, 0, 0}, Errc::kMalformed},
      {"a token that is none", {1, 1, 0, 3, 1, 2, 3}, Errc::kAuthentication},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.what);
    Server server;
    EXPECT_EQ(server.Take(row.message), kAbort);
    EXPECT_EQ(server.error.code(), row.error) << server.error.message();
  }
}

TEST_F(GssNegotiationTest, ServerAbortsInEveryFailureOfTheLevel) {
  struct Row {
    const char* what;
    Bytes (*make)(Server&);
    Errc error;
  };
  const Row kTable[] = {
      {"version", [](Server&) { return Bytes{0}; }, Errc::kMalformed},
      {"another token", [](Server&) { return Message(1, Text("token")); }, Errc::kMalformed},
      {"data", [](Server& s) { return Message(3, s.peer.Wrap({2}, true)); }, Errc::kMalformed},
      {"in clear", [](Server&) { return Message(2, Bytes{2}); }, Errc::kIntegrity},
      {"empty", [](Server&) { return Message(2, {}); }, Errc::kIntegrity},
      {"0", [](Server& s) { return Message(2, s.peer.Wrap({0}, false)); }, Errc::kMalformed},
      {"4", [](Server& s) { return Message(2, s.peer.Wrap({4}, false)); }, Errc::kMalformed},
      {"255", [](Server& s) { return Message(2, s.peer.Wrap({255}, false)); }, Errc::kMalformed},
      {"two",
       [](Server& s) {
         return Message(2, s.peer.Wrap({2, 2}, false));
       },
       Errc::kMalformed},
  };
  for (const Row& row : kTable) {
    SCOPED_TRACE(row.what);
    Server server;
    server.ToLevel();
    EXPECT_EQ(server.Take(row.make(server)), kAbort);
    EXPECT_EQ(server.error.code(), row.error) << server.error.message();
  }
}

TEST_F(GssNegotiationTest, ServerWantsReplayDetection) {
  Server server;
  const OM_uint32 without = GSS_C_REPLAY_FLAG;
  EXPECT_EQ(server.Take(Message(1, server.peer.Initiate({}, GssPeer::kAllFlags & ~without))),
            kAbort);
  EXPECT_EQ(server.error.code(), Errc::kPolicy) << server.error.message();
}

// One leg: a client that asks for no mutual authentication (ours never does) is complete at once,
// and the server says "ready" (section 3.6).
TEST_F(GssNegotiationTest, ServerAcknowledgesAOneLegContext) {
  Server server;
  const Bytes token =
      server.peer.Initiate({}, GssPeer::kAllFlags & ~static_cast<OM_uint32>(GSS_C_MUTUAL_FLAG));
  EXPECT_TRUE(server.peer.complete());
  EXPECT_EQ(Hex(server.Take(Message(1, token))), "01010000");
  server.Take(Message(2, server.peer.Wrap({2}, false)));
  EXPECT_TRUE(server.established) << server.error.message();
}

}  // namespace
}  // namespace socksify
