// CHAP: the codec, and both roles against the draft's flow.
#include <gtest/gtest.h>

#include <string>

#include "lib/security/chap_layer.h"
#include "lib/wire/chap.h"
#include "tests/unit/cut.h"
#include "tests/unit/gss_pair.h"

namespace socksify {
namespace {

using Attribute = ChapAttribute;

// RFC 2104, appendix: HMAC-MD5("Jefe", "what do ya want for nothing?").
const std::string kPassword = "Jefe";
const std::string kChallenge = "what do ya want for nothing?";
const Bytes kResponse = B({0x75, 0x0c, 0x78, 0x3e, 0x6a, 0xb0, 0xb5, 0x03, 0xea, 0xa8, 0x6e, 0x31,
                           0x0a, 0x5d, 0xb7, 0x38});

Bytes Message(std::vector<std::pair<Attribute, Bytes>> assertions) {
  Bytes message;
  EXPECT_TRUE(AppendChapMessage(message, {std::move(assertions)}).ok());
  return message;
}

ChapMessage Parsed(ByteView octets) {
  auto parsed = ParseChapMessage(octets);
  EXPECT_TRUE(parsed.ok() && parsed->size == octets.size()) << Hex(octets);
  return parsed.ok() ? parsed->message : ChapMessage();
}

Side Initiator(bool mutual = false, const std::string& password = kPassword) {
  Side side;
  side.layer = NewChapInitiator("alice", Secret(password), mutual);
  return side;
}

const UserDatabase& Users() {
  static const UserDatabase users(
      {{"alice", {Secret("Jefe")}}, {"bob", {Secret("$6$x$y"), /*hashed=*/true}}});
  return users;
}

Side Acceptor() {
  Side side;
  side.layer = NewChapAcceptor(Users());
  return side;
}

TEST(ChapTest, CodecCutsWell) {
  const Bytes message = Message({{Attribute::kAlgorithms, B({0x85, 5})},
                                 {static_cast<Attribute>(0x77), {}},
                                 {Attribute::kChallenge, Bytes(255, 'c')}});
  ExpectCutsWell(message, [](ByteView octets) { return ParseChapMessage(octets); });
  EXPECT_EQ(Parsed(message).Find(Attribute::kChallenge)->size(), 255u);
  EXPECT_EQ(Parsed(message).Find(Attribute::kStatus), nullptr);
  EXPECT_EQ(ParseChapMessage(B({2})).status().code(), Errc::kMalformed);
  EXPECT_EQ(ParseChapMessage(B({1, 0})).status().code(), Errc::kMalformed);
  Bytes to;
  EXPECT_FALSE(AppendChapMessage(to, {}).ok());
  EXPECT_FALSE(AppendChapMessage(to, {{{Attribute::kUserIdentity, Bytes(256)}}}).ok());
  EXPECT_TRUE(to.empty());
}

// protocol.md section 3, octet for octet.
TEST(ChapTest, InitiatorByTheDraftsFlow) {
  for (bool together : {true, false}) {
    Side side = Initiator();
    EXPECT_EQ(Hex(side.Go()),
              "0102110185"
              "0205"
              "616c696365");
    Bytes answer;
    if (together) {
      answer = side.Take(Message({{Attribute::kTextMessage, Text("hello")},
                                  {Attribute::kChallenge, Text(kChallenge)},
                                  {Attribute::kAlgorithms, B({0x85})}}));
    } else {
      EXPECT_TRUE(side.Take(Message({{Attribute::kAlgorithms, B({0x85})}})).empty());
      answer = side.Take(Message({{Attribute::kChallenge, Text(kChallenge)}}));
    }
    EXPECT_EQ(Hex(answer),
              "01020205616c69636504"
              "10" +
                  Hex(kResponse));
    EXPECT_EQ(side.Take(Message({{Attribute::kChallenge, Text(kChallenge)}})), answer);  // each
    EXPECT_TRUE(side.Take(B({1, 1, 0, 1, 0})).empty());
    EXPECT_TRUE(side.established) << side.error.message();
    EXPECT_EQ(side.layer->Summary().client_principal, "alice");
    EXPECT_FALSE(side.layer->framed());
  }
}

TEST(ChapTest, InitiatorRefuses) {
  const struct {
    Bytes server;
    Errc error;
  } kTable[] = {
      {B({1, 1, 0, 1, 0xff}), Errc::kAuthentication},
      {B({1, 1, 0, 1, 1}), Errc::kAuthentication},
      {B({1, 1, 0, 0}), Errc::kAuthentication},
      {B({1, 1, 0, 1, 0}), Errc::kMalformed},  // success without a challenge
      {B({1, 0}), Errc::kMalformed},
      {B({5}), Errc::kMalformed},
      {B({1, 1, 0x11, 1, 5}), Errc::kPolicy},
      {B({1, 1, 0x11, 2, 0x85, 5}), Errc::kPolicy},
      {B({1, 1, 3, 1, 7}), Errc::kMalformed},  // a challenge before its algorithm
  };
  for (const auto& row : kTable) {
    Side side = Initiator();
    side.Go();
    EXPECT_TRUE(side.Take(row.server).empty());
    EXPECT_EQ(side.error.code(), row.error) << Hex(row.server);
  }
  Side endless = Initiator();
  endless.Go();
  for (int i = 0; i < 100; i++) endless.Take(B({1, 1, 1, 1, 'x'}));
  EXPECT_EQ(endless.error.code(), Errc::kMalformed);
  EXPECT_FALSE(Initiator(false, "").Go().size() != 0);
}

TEST(ChapTest, AcceptorByTheDraftsFlow) {
  for (const char* flow : {"PuTTY", "draft", "algorithms and name apart"}) {
    Side side = Acceptor();
    const bool early = flow == std::string("PuTTY");
    Bytes first = Message({{Attribute::kAlgorithms, B({5, 0x85})}});
    if (early) {
      first =
          Message({{Attribute::kUserIdentity, Text("alice")}, {Attribute::kAlgorithms, B({0x85})}});
    }
    if (flow == std::string("algorithms and name apart")) {
      EXPECT_TRUE(side.Take(Message({{Attribute::kUserIdentity, Text("alice")}})).empty());
    }
    const Bytes offer = side.Take(first);
    EXPECT_EQ(Hex(ByteView(offer).first(7)), "01021101850380");
    ASSERT_EQ(offer.size(), 7u + 128u);
    // Our own initiator knows how to answer it.
    Side client = Initiator();
    client.Go();
    const Bytes answer = client.Take(offer);
    EXPECT_EQ(Hex(side.Take(answer)), "0101000100");
    EXPECT_TRUE(side.established) << side.error.message();
    EXPECT_EQ(side.layer->Summary().client_principal, "alice");
  }
}

TEST(ChapTest, AcceptorRefuses) {
  const Bytes algorithms = B({1, 1, 0x11, 1, 0x85});
  const struct {
    std::vector<Bytes> client;
    Errc error;
  } kTable[] = {
      {{B({1, 1, 0x11, 1, 5})}, Errc::kPolicy},
      {{B({1, 1, 0x11, 0})}, Errc::kPolicy},
      {{Message({{Attribute::kUserIdentity, Text("alice")}, {Attribute::kResponse, kResponse}})},
       Errc::kMalformed},
      {{algorithms,
        Message({{Attribute::kUserIdentity, Text("alice")}, {Attribute::kResponse, kResponse}})},
       Errc::kAuthentication},
      {{algorithms, Message({{Attribute::kResponse, kResponse}})}, Errc::kAuthentication},
      {{algorithms,
        Message({{Attribute::kUserIdentity, Text("alice")}, {Attribute::kResponse, {}}})},
       Errc::kAuthentication},
  };
  for (const auto& row : kTable) {
    Side side = Acceptor();
    Bytes last;
    for (const Bytes& message : row.client) last = side.Take(message);
    EXPECT_EQ(side.error.code(), row.error);
    EXPECT_EQ(Hex(last), "01010001ff");
  }
  Side empty = Acceptor();
  empty.Take(B({1, 0}));
  EXPECT_EQ(empty.error.code(), Errc::kMalformed);
}

// Which user, whose password: by the two roles together.
std::string Meet(const std::string& user, const std::string& password, bool mutual) {
  Side client;
  client.layer = NewChapInitiator(user, Secret(password), mutual);
  Side server = Acceptor();
  for (Bytes up = client.Go(); !up.empty();) {
    const Bytes down = server.Take(up);
    up = down.empty() ? Bytes() : client.Take(down);
  }
  EXPECT_EQ(client.established, server.established);
  if (!client.established) {
    EXPECT_EQ(client.error.code(), Errc::kAuthentication) << client.error.message();
    EXPECT_EQ(server.error.code(), Errc::kAuthentication) << server.error.message();
    EXPECT_EQ(server.error.message().find("Jefe"), std::string::npos);
    return "refused";
  }
  for (const Side* side : {&client, &server}) {
    EXPECT_EQ(side->layer->Summary().details.at(0).second, mutual ? "yes" : "no");
  }
  return "accepted";
}

TEST(ChapTest, BothRoles) {
  for (bool mutual : {false, true}) {
    EXPECT_EQ(Meet("alice", "Jefe", mutual), "accepted");
    EXPECT_EQ(Meet("alice", "jefe", mutual), "refused");
    EXPECT_EQ(Meet("carol", "nobody", mutual), "refused");
    EXPECT_EQ(Meet("bob", "$6$x$y", mutual), "refused");  // a hash is no password
  }
}

TEST(ChapTest, MutualVariantByTheInitiator) {
  for (const char* server : {"right", "wrong", "silent", "reflecting"}) {
    Side side = Initiator(/*mutual=*/true);
    side.Go();
    const ChapMessage answer = Parsed(side.Take(
        Message({{Attribute::kAlgorithms, B({0x85})}, {Attribute::kChallenge, Text(kChallenge)}})));
    EXPECT_EQ(*answer.Find(Attribute::kResponse), kResponse);
    const Bytes own = *answer.Find(Attribute::kChallenge);
    if (server == std::string("reflecting")) {
      EXPECT_TRUE(side.Take(Message({{Attribute::kChallenge, own}})).empty());
      EXPECT_EQ(side.error.code(), Errc::kAuthentication);
      continue;
    }
    if (server == std::string("silent")) {
      EXPECT_TRUE(side.Take(B({1, 1, 0, 1, 0})).empty());
      EXPECT_TRUE(side.established);
      continue;
    }
    Bytes proof(16, 'x');
    if (server == std::string("right")) {
      Side other = Initiator();  // does the arithmetic
      other.Go();
      proof = *Parsed(other.Take(Message(
                          {{Attribute::kAlgorithms, B({0x85})}, {Attribute::kChallenge, own}})))
                   .Find(Attribute::kResponse);
    }
    const Bytes last =
        side.Take(Message({{Attribute::kResponse, proof}, {Attribute::kStatus, B({0})}}));
    const bool right = server == std::string("right");
    EXPECT_EQ(Hex(last), right ? "0101000100" : "01010001ff");
    EXPECT_EQ(side.established, right);
  }
}

}  // namespace
}  // namespace socksify
