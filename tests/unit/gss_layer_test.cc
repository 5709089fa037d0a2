// The GSS-API method between our two roles, over real Kerberos contexts: how a session comes about.
#include "lib/security/gss_layer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"
#include "tests/unit/temporary_file.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;
using Mechanism = GssInitiatorOptions::Mechanism;

class GssLayerTest : public RealmTest {};

void ExpectTalks(GssPair& pair) {
  Side* sides[] = {&pair.client, &pair.server};
  for (int i = 0; i < 4; i++) {
    SecurityLayer& from = *sides[i % 2]->layer;
    SecurityLayer& to = *sides[(i + 1) % 2]->layer;
    Bytes frame = Sealed(from, Text("hello " + std::to_string(i)));
    auto size = to.FrameSize(frame);
    ASSERT_TRUE(size.ok());
    ASSERT_EQ(*size, frame.size());
    auto plain = to.Open(frame);
    ASSERT_TRUE(plain.ok()) << plain.status().message();
    EXPECT_EQ(AsText(*plain), "hello " + std::to_string(i));
  }
}

TEST_F(GssLayerTest, KerberosNamesBothSides) {
  GssPair pair;
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  for (const Side* side : {&pair.client, &pair.server}) {
    const SecuritySummary summary = side->layer->Summary();
    EXPECT_EQ(summary.client_principal, "alice@SOCKS.TEST");
    EXPECT_EQ(summary.server_principal, "socks/localhost@SOCKS.TEST");
    EXPECT_EQ(summary.mechanism.rfind("krb5 (aes256-cts", 0), 0u) << summary.mechanism;
    EXPECT_EQ(summary.level, Level::kConfidentiality);
    EXPECT_TRUE(side->layer->framed());
  }
  ExpectTalks(pair);
}

// protocol.md section 1: the shape of the exchange that was measured against other implementations.
TEST_F(GssLayerTest, KerberosTakesTwoMessagesEachWay) {
  GssPair pair;
  const Bytes first = pair.client.Go();
  EXPECT_EQ(Hex(ByteView(first).first(2)), "0101");
  const Bytes answer = pair.server.Take(first);
  EXPECT_EQ(Hex(ByteView(answer).first(2)), "0101");
  EXPECT_GT(answer.size(), kFrameHeaderSize);
  EXPECT_FALSE(pair.server.established);
  const Bytes level = pair.client.Take(answer);
  EXPECT_EQ(Hex(ByteView(level).first(4)), "0102001d");  // one octet, integrity alone
  EXPECT_FALSE(pair.client.established);
  const Bytes agreed = pair.server.Take(level);
  EXPECT_EQ(Hex(ByteView(agreed).first(4)), "0102001d");
  EXPECT_TRUE(pair.server.established);
  EXPECT_TRUE(pair.client.Take(agreed).empty());
  EXPECT_TRUE(pair.client.established);
}

TEST_F(GssLayerTest, Spnego) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    GssPair pair({.server_host = kRealmHost, .level = level, .mechanism = Mechanism::kSpnego});
    ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
    EXPECT_EQ(pair.client.layer->Summary().client_principal, "alice@SOCKS.TEST");
    EXPECT_EQ(pair.server.layer->Summary().client_principal, "alice@SOCKS.TEST");
    EXPECT_EQ(pair.server.layer->Summary().level, level);
    ExpectTalks(pair);
  }
}

// Three legs: the client of a DCE-style context has the last token, and the server, complete
// without one to send, says "ready" with a token of zero length (RFC 1961 section 3.6).
TEST_F(GssLayerTest, AcceptorGoesThroughThreeLegs) {
  Side server{.layer = NewGssAcceptor({}), .input = {}, .error = {}};
  GssPeer client;
  constexpr OM_uint32 kFlags = GssPeer::kAllFlags | GSS_C_DCE_STYLE;
  const Bytes second = server.Take(Message(1, client.Initiate({}, kFlags)));
  ASSERT_TRUE(server.error.ok()) << server.error.message();
  EXPECT_FALSE(client.complete());
  const Bytes third = client.Initiate(TokenOf(second), kFlags);
  EXPECT_TRUE(client.complete());
  EXPECT_EQ(Hex(server.Take(Message(1, third))), "01010000");
  EXPECT_TRUE(server.error.ok()) << server.error.message();
  const Bytes level = server.Take(Message(2, client.Wrap({2}, false)));
  EXPECT_TRUE(server.established) << server.error.message();
  EXPECT_EQ(client.Unwrap(TokenOf(level)).plain, Bytes{2});
}

// Every level asked for with every set of accepted ones. `agreed` 0: the server refuses and aborts;
// `client` false: the client refuses what it is given.
TEST_F(GssLayerTest, EveryLevelAskedWithEverySetAccepted) {
  constexpr Level k1 = Level::kIntegrity, k2 = Level::kConfidentiality, k3 = Level::kSelective;
  const struct {
    Level asked;
    std::vector<Level> accepted;
    int agreed;
    bool client;
  } kTable[] = {
      {k1, {}, 0, false},          {k2, {}, 0, false},          {k3, {}, 0, false},
      {k1, {k1}, 1, true},         {k2, {k1}, 1, false},        {k3, {k1}, 1, true},
      {k1, {k2}, 2, true},         {k2, {k2}, 2, true},         {k3, {k2}, 2, true},
      {k1, {k3}, 0, false},        {k2, {k3}, 0, false},        {k3, {k3}, 3, true},
      {k1, {k2, k1}, 1, true},     {k2, {k2, k1}, 2, true},     {k3, {k2, k1}, 2, true},
      {k1, {k3, k1}, 1, true},     {k2, {k3, k1}, 1, false},    {k3, {k3, k1}, 3, true},
      {k1, {k3, k2}, 2, true},     {k2, {k3, k2}, 2, true},     {k3, {k3, k2}, 3, true},
      {k1, {k1, k2, k3}, 1, true}, {k2, {k1, k2, k3}, 2, true}, {k3, {k1, k2, k3}, 3, true},
  };
  for (bool nec : {false, true}) {
    for (const auto& row : kTable) {
      std::string trace = std::string(nec ? "NEC, " : "") + ProtectionLevelName(row.asked) + " of";
      for (Level level : row.accepted) trace += std::string(" ") + ProtectionLevelName(level);
      SCOPED_TRACE(trace);
      GssPair pair({.server_host = kRealmHost, .level = row.asked, .nec = nec},
                   {.credential = nullptr, .levels = row.accepted, .nec = nec});
      const bool both = pair.Negotiate();
      EXPECT_EQ(both, row.client) << pair.Errors();
      EXPECT_EQ(pair.server.established, row.agreed != 0) << pair.Errors();
      if (row.agreed == 0) {
        EXPECT_EQ(pair.server.error.code(), Errc::kPolicy) << pair.server.error.message();
        EXPECT_EQ(pair.client.error.code(), Errc::kAuthentication);  // it sees the abort
      } else if (!row.client) {
        EXPECT_EQ(pair.client.error.code(), Errc::kPolicy) << pair.client.error.message();
      } else {
        EXPECT_EQ(pair.client.layer->Summary().level, static_cast<Level>(row.agreed));
        EXPECT_EQ(pair.server.layer->Summary().level, static_cast<Level>(row.agreed));
        ExpectTalks(pair);
      }
    }
  }
}

TEST_F(GssLayerTest, NecGoesInClear) {
  GssPair pair({.server_host = kRealmHost, .nec = true}, {.credential = nullptr, .nec = true});
  const Bytes answer = pair.server.Take(pair.client.Go());
  const Bytes level = pair.client.Take(answer);
  EXPECT_EQ(Hex(level), "0102000102");
  EXPECT_EQ(Hex(pair.server.Take(level)), "0102000102");
  EXPECT_TRUE(pair.server.established);
}

TEST_F(GssLayerTest, NecServerTakesTheLevelOfTheRfcToo) {
  GssPair pair({.server_host = kRealmHost}, {.credential = nullptr, .nec = true});
  EXPECT_TRUE(pair.Negotiate()) << pair.Errors();
  ExpectTalks(pair);
}

TEST_F(GssLayerTest, NecClientAtAServerOfTheRfcIsRefused) {
  GssPair pair({.server_host = kRealmHost, .nec = true});
  EXPECT_FALSE(pair.Negotiate());
  EXPECT_EQ(pair.server.error.code(), Errc::kIntegrity) << pair.server.error.message();
  EXPECT_EQ(pair.client.error.code(), Errc::kAuthentication) << pair.client.error.message();
}

TEST_F(GssLayerTest, PrepareMakesTheFirstTokenAndMayBeLeftOut) {
  GssPair prepared;
  EXPECT_TRUE(prepared.client.layer->Prepare().ok());
  EXPECT_TRUE(prepared.client.layer->Prepare().ok());  // once
  EXPECT_TRUE(prepared.Negotiate()) << prepared.Errors();
}

TEST_F(GssLayerTest, AnUnknownServiceFallsToTheNextName) {
  GssPair pair({.server_host = kRealmHost, .services = {"nosuch", "rcmd"}});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  EXPECT_EQ(pair.client.layer->Summary().server_principal, "rcmd/localhost@SOCKS.TEST");
}

TEST_F(GssLayerTest, AWholePrincipalIsTakenAsItIs) {
  GssPair pair({.server_host = "elsewhere.invalid", .services = {"rcmd/localhost@SOCKS.TEST"}});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  EXPECT_EQ(pair.server.layer->Summary().server_principal, "rcmd/localhost@SOCKS.TEST");
}

TEST_F(GssLayerTest, HostNamesCompareWithoutCase) {
  GssPair pair({.server_host = "LocalHost"});
  EXPECT_TRUE(pair.Negotiate()) << pair.Errors();
}

TEST_F(GssLayerTest, NoKnownServiceSaysWhatToSet) {
  GssPair pair({.server_host = kRealmHost, .services = {"nosuch", "neither"}});
  const Status status = pair.client.layer->Prepare();
  EXPECT_EQ(status.code(), Errc::kCredentials);
  EXPECT_NE(status.message().find("neither@localhost"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("--gss-service"), std::string::npos) << status.message();
  EXPECT_TRUE(pair.client.Go().empty());
  EXPECT_EQ(pair.client.error.code(), Errc::kCredentials);  // the same failure, not a second try
}

TEST_F(GssLayerTest, NoServiceNameAtAll) {
  GssPair pair({.server_host = kRealmHost, .services = {}});
  EXPECT_EQ(pair.client.layer->Prepare().code(), Errc::kConfig);
}

TEST_F(GssLayerTest, NoTicketSaysKinit) {
  TemporaryDirectory directory;
  const std::string caches[] = {directory.path() + "/none", directory.Write("empty", "")};
  for (const std::string& cache : caches) {
    for (Mechanism mechanism : {Mechanism::kKerberos, Mechanism::kSpnego}) {
      ScopedVariable variable("KRB5CCNAME", "FILE:" + cache);
      GssPair pair({.server_host = kRealmHost, .mechanism = mechanism});
      const Status status = pair.client.layer->Prepare();
      EXPECT_EQ(status.code(), Errc::kCredentials) << status.message();
      EXPECT_NE(status.message().find("kinit"), std::string::npos) << status.message();
    }
  }
}

TEST_F(GssLayerTest, AReplayedFirstTokenIsRefused) {
  GssPair pair;
  const Bytes first = pair.client.Go();
  EXPECT_FALSE(pair.server.Take(first).empty());
  Side other{.layer = NewGssAcceptor({}), .input = {}, .error = {}};
  const Bytes answer = other.Take(first);
  EXPECT_EQ(other.error.code(), Errc::kAuthentication) << other.error.message();
  EXPECT_EQ(Hex(answer), "01ff");
}

TEST_F(GssLayerTest, AcceptorCredentials) {
  auto any = AcquireGssAcceptorCredential("", "");
  ASSERT_TRUE(any.ok()) << any.status().message();
  auto socks = AcquireGssAcceptorCredential("", "socks/localhost");
  ASSERT_TRUE(socks.ok()) << socks.status().message();
  const std::string keytab = std::string(getenv("KRB5_KTNAME"));
  auto named = AcquireGssAcceptorCredential(keytab, "");
  ASSERT_TRUE(named.ok()) << named.status().message();
  for (const auto& credential : {*any, *socks, *named}) {
    for (Mechanism mechanism : {Mechanism::kKerberos, Mechanism::kSpnego}) {
      GssPair pair({.server_host = kRealmHost, .mechanism = mechanism}, {.credential = credential});
      EXPECT_TRUE(pair.Negotiate()) << pair.Errors();
    }
  }
  // A key for socks alone does not do for a client that asks for rcmd.
  GssPair other({.server_host = kRealmHost, .services = {"rcmd"}}, {.credential = *socks});
  EXPECT_FALSE(other.Negotiate());
  EXPECT_EQ(other.server.error.code(), Errc::kAuthentication);
}

TEST_F(GssLayerTest, AcceptorCredentialsThatAreMissing) {
  TemporaryDirectory directory;
  auto missing = AcquireGssAcceptorCredential(directory.path() + "/none", "");
  EXPECT_EQ(missing.status().code(), Errc::kCredentials);
  EXPECT_NE(missing.status().message().find(directory.path()), std::string::npos);
  auto nobody = AcquireGssAcceptorCredential("", "nosuch/localhost");
  EXPECT_EQ(nobody.status().code(), Errc::kCredentials);
  EXPECT_NE(nobody.status().message().find("nosuch"), std::string::npos);
}

}  // namespace
}  // namespace socksify
