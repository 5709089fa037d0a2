// The SSL method between our two roles: frames, states, certificates, the end.
#include "lib/security/ssl_layer.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "lib/engine/codec.h"
#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

std::string StatesOf(ByteView stream) {
  std::string states;
  while (!stream.empty()) {
    EXPECT_EQ(stream[0], 1);
    states += static_cast<char>('0' + stream[1]);
    stream = stream.subspan(4 + (size_t{stream[2]} << 8 | stream[3]));
  }
  return states;
}

std::string Detail(const SecuritySummary& summary, std::string_view name) {
  for (const auto& [key, value] : summary.details) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(SslLayerTest, BothVersionsSayWhatWasAgreed) {
  for (const char* priority : {kTls12, kTls13, ""}) {
    auto pair = EstablishedSslPair(priority);
    const SecuritySummary summary = pair->client.layer->Summary();
    const char* version = priority == kTls12 ? "TLS 1.2" : "TLS 1.3";
    EXPECT_EQ(summary.mechanism, std::string(version) + " (AES-256-GCM)");
    EXPECT_EQ(summary.server_principal, "CN=socks server");
    EXPECT_EQ(summary.level, ProtectionLevel::kConfidentiality);
    EXPECT_EQ(Detail(summary, "tls version"), version);
    EXPECT_EQ(Detail(summary, "cipher"), "AES-256-GCM");
    EXPECT_NE(Detail(summary, "key exchange").find("SECP256R1"), std::string::npos);
    EXPECT_EQ(
        Detail(summary, "certificate").find("CN=socks server; issued by CN=Test CA; until 20"), 0u);
    EXPECT_EQ(Detail(summary, "options"), "none");
  }
}

// Each side's own progress: handshake, options, data, closing; never mixed.
TEST(SslLayerTest, StatesOnTheWire) {
  for (const char* priority : {kTls12, kTls13}) {
    SslPair pair;
    pair.initiator.tls_priority = priority;
    pair.initiator.subauth = pair.acceptor.subauth = {Method::kChap};
    ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
    Append(pair.to_server, Sealed(*pair.client.layer, Text("x")));
    ASSERT_TRUE(pair.client.layer->Close(&pair.to_server).ok());
    Append(pair.to_client, Sealed(*pair.server.layer, Text("x")));
    for (const Bytes* stream : {&pair.to_server, &pair.to_client}) {
      const std::string states = StatesOf(*stream);
      EXPECT_TRUE(std::ranges::is_sorted(states)) << states;
      EXPECT_EQ(std::ranges::count(states, '3'), 1) << states;
      EXPECT_EQ(std::ranges::count(states, '4'), stream == &pair.to_server) << states;
      EXPECT_GE(std::ranges::count(states, '2'), 3) << states;
    }
  }
}

// It lies outside TLS, where anybody can change it.
TEST(SslLayerTest, NothingDependsOnThePeersState) {
  for (int state = 1; state <= 4; state++) {
    SslPair pair;
    pair.Make();
    auto alter = [&](Bytes octets) { return Reframed(octets, 65535, state); };
    for (Bytes up = alter(pair.client.Go()); !up.empty();) {
      const Bytes down = alter(pair.server.Take(up));
      up = down.empty() ? Bytes() : alter(pair.client.Take(down));
    }
    ASSERT_TRUE(pair.client.established && pair.server.established) << pair.Errors();
    auto opened = OpenAll(*pair.server.layer, alter(Sealed(*pair.client.layer, Text("hello"))));
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(AsText(*opened), "hello");
    EXPECT_FALSE(pair.server.layer->peer_closed());
  }
}

TEST(SslLayerTest, HeadersThatAreNone) {
  auto pair = EstablishedSslPair();
  const SecurityLayer& layer = *pair->client.layer;
  for (int state = 0; state < 256; state++) {
    for (size_t size : {2, 3, 4}) {
      Bytes head = B({1, state, 0, 0});
      head.resize(size);
      EXPECT_EQ(layer.FrameSize(head).ok(), state >= 1 && state <= 4) << state;
    }
  }
  EXPECT_FALSE(layer.FrameSize(B({5})).ok());
  EXPECT_EQ(*layer.FrameSize(B({1, 3, 0xff, 0xff})), 65539u);
  EXPECT_EQ(*layer.FrameSize(B({1, 3, 0})), 0u);
  EXPECT_EQ(*layer.FrameSize({}), 0u);
  for (int state : {0, 5, 255}) {  // while negotiating, too
    SslPair other;
    other.Make();
    other.client.Go();
    other.client.Take(B({1, state, 0, 0}));
    EXPECT_EQ(other.client.error.code(), Errc::kMalformed) << state;
  }
}

TEST(SslLayerTest, EmptyFramesMeanNothing) {
  auto pair = EstablishedSslPair();
  for (int state = 1; state <= 4; state++) {
    auto opened = OpenAll(*pair->client.layer, B({1, state, 0, 0}));
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(opened->empty());
    EXPECT_FALSE(pair->client.layer->peer_closed());  // not `01 04 00 00` either
  }
  ExpectTalks(*pair->server.layer, *pair->client.layer, 5);
}

TEST(SslLayerTest, FramesCutAnywhere) {
  for (const char* priority : {kTls12, kTls13}) {
    auto pair = EstablishedSslPair(priority);
    SecurityLayer &from = *pair->client.layer, &to = *pair->server.layer;
    EXPECT_EQ(to.MinFrameSize(), 5u);
    EXPECT_FALSE(to.frames_are_messages());
    for (size_t portion : {1, 7, 20, 21, 22, 16000, 65535}) {
      Bytes plain, stream;
      for (size_t size : {size_t{1}, size_t{300}, size_t{20000}, from.MaxPlaintext()}) {
        Append(plain, Pattern(size));
        Append(stream, Sealed(from, Pattern(size)));
      }
      auto opened = OpenAll(to, Reframed(stream, portion));
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      EXPECT_TRUE(*opened == plain) << portion;
    }
  }
}

TEST(SslLayerTest, FramesAreFilled) {
  for (const char* priority : {kTls12, kTls13}) {
    auto pair = EstablishedSslPair(priority);
    SecurityLayer& layer = *pair->client.layer;
    const Bytes frame = Sealed(layer, Pattern(layer.MaxPlaintext()));
    EXPECT_LE(frame.size(), kMaxFrameSize);
    EXPECT_GE(frame.size(), kMaxFrameSize - 64);  // room for an update of keys
    Bytes more;
    EXPECT_FALSE(layer.Seal(Pattern(layer.MaxPlaintext() + 1), &more).ok());
    EXPECT_FALSE(layer.Seal({}, &more).ok());
    EXPECT_TRUE(more.empty());
  }
}

TEST(SslLayerTest, TheHandshakeCutAtEveryOctet) {
  for (const char* priority : {kTls12, kTls13}) {
    for (size_t portion : {1, 2, 3, 7, 1000}) {
      SslPair pair;
      pair.initiator.tls_priority = priority;
      pair.initiator.subauth = pair.acceptor.subauth = {Method::kUserpass};
      pair.Make();
      auto deliver = [&](Side& side, const Bytes& octets) {
        Bytes answer;
        const Bytes framed = Reframed(octets, portion);
        for (uint8_t octet : framed) {
          EXPECT_TRUE(side.established || side.layer->WantedOctets() != 0);
          Append(answer, side.Take({&octet, 1}));
        }
        return answer;
      };
      for (Bytes up = pair.client.Go(); !up.empty();) {
        const Bytes down = deliver(pair.server, up);
        up = down.empty() ? Bytes() : deliver(pair.client, down);
      }
      ASSERT_TRUE(pair.client.established && pair.server.established) << pair.Errors();
      ExpectTalks(*pair.client.layer, *pair.server.layer, 10);
    }
  }
}

TEST(SslLayerTest, AlteredReplayedAndMissingRecordsAreRefused) {
  for (const char* priority : {kTls12, kTls13}) {
    for (const char* fault : {"replayed", "missing", "altered", "no TLS"}) {
      auto pair = EstablishedSslPair(priority);
      const Bytes first = Sealed(*pair->server.layer, Text("first"));
      Bytes frame = first;
      EXPECT_EQ(AsText(*pair->client.layer->Open(frame)), "first");
      frame = first;
      if (fault == std::string("missing")) {
        (void)Sealed(*pair->server.layer, Text("second"));
        frame = Sealed(*pair->server.layer, Text("third"));
      }
      if (fault == std::string("altered")) {
        frame = Sealed(*pair->server.layer, Text("second"));
        frame[12] ^= 1;
      }
      const bool no_tls = fault == std::string("no TLS");
      if (no_tls) frame = B({1, 3, 0, 6, 0x16, 0x05, 0, 0, 1, 0});
      EXPECT_EQ(pair->client.layer->Open(frame).status().code(),
                no_tls ? Errc::kMalformed : Errc::kIntegrity)
          << fault;
      Bytes good = Sealed(*pair->server.layer, Text("good")), none;
      EXPECT_FALSE(pair->client.layer->Open(good).ok());
      EXPECT_FALSE(pair->client.layer->Seal(Text("x"), &none).ok());
    }
  }
}

TEST(SslLayerTest, EachDirectionIsClosedByItself) {
  for (const char* priority : {kTls12, kTls13}) {
    auto pair = EstablishedSslPair(priority);
    SecurityLayer &client = *pair->client.layer, &server = *pair->server.layer;
    EXPECT_TRUE(client.closes());
    EXPECT_EQ(CheckEnd(server, {}).code(), Errc::kTruncated);
    Bytes frames = Sealed(client, Text("last")), none;
    ASSERT_TRUE(client.Close(&frames).ok());
    EXPECT_EQ(StatesOf(frames), "34");
    ASSERT_TRUE(client.Close(&none).ok());  // once
    EXPECT_TRUE(none.empty());
    EXPECT_FALSE(client.Seal(Text("x"), &none).ok());
    EXPECT_EQ(AsText(*OpenAll(server, frames)), "last");
    EXPECT_TRUE(server.peer_closed());
    EXPECT_TRUE(CheckEnd(server, {}).ok());
    ExpectTalks(server, client, 1000);  // the other one goes on
    EXPECT_EQ(CheckEnd(client, {}).code(), Errc::kTruncated);
    Bytes back;
    ASSERT_TRUE(server.Close(&back).ok());
    ASSERT_TRUE(OpenAll(client, back).ok());
    EXPECT_TRUE(client.peer_closed());
  }
}

TEST(SslLayerTest, TheEndInTheNegotiation) {
  SslPair pair;
  pair.Make();
  const Bytes hello = pair.client.Go();
  const Bytes down = pair.server.Take(hello);
  EXPECT_FALSE(pair.client.layer->Export().ok());
  EXPECT_FALSE(pair.client.Take(down).empty());
  EXPECT_FALSE(pair.client.layer->Export().ok());
}

struct Fault {
  CertificateSpec spec;
  std::string server_host = "localhost";
  std::string tls_name = {};
  std::vector<std::string> words = {};  // of the message; none: it is good
};

TEST(SslCertificateTest, WhatIsWrongWithIt) {
  const time_t now = time(nullptr), day = 86400;
  const Fault kFaults[] = {
      {{.name = "s", .hosts = {"localhost"}}},
      {{.name = "s", .hosts = {"127.0.0.1"}}, "127.0.0.1"},
      {{.name = "s", .hosts = {"proxy.example"}}, "localhost", "proxy.example"},
      {{.name = "s", .hosts = {"*.proxy.example"}}, "a.proxy.example"},
      {{.name = "s", .hosts = {"127.0.0.1"}}, "localhost", "127.0.0.1"},
      {{.name = "s", .hosts = {"other.example", "10.1.2.3"}},
       "localhost",
       "",
       {"CN=s", "other.example, 10.1.2.3", "not for localhost", "--tls-name"}},
      {{.name = "s", .hosts = {"localhost"}}, "127.0.0.1", "", {"localhost", "127.0.0.1"}},
      {{.name = "s", .hosts = {"localhost"}}, "localhost", "proxy.example", {"proxy.example"}},
      {{.name = "s", .hosts = {"localhost"}, .from = now - 9 * day, .until = now - day},
       "localhost",
       "",
       {"CN=s", "expired on 20"}},
      {{.name = "s", .hosts = {"localhost"}, .from = now + day},
       "localhost",
       "",
       {"CN=s", "not valid before 20"}},
      {{.name = "s", .hosts = {"localhost"}, .client = true}, "localhost", "", {"purpose"}},
  };
  for (const char* priority : {kTls12, kTls13}) {
    for (const Fault& fault : kFaults) {
      const Identity identity(TestPki().directory, fault.spec, &TestPki().ca);
      SslPair pair;
      pair.server_file = identity.file();
      pair.initiator.server_host = fault.server_host;
      pair.initiator.tls_name = fault.tls_name;
      pair.initiator.tls_priority = priority;
      EXPECT_EQ(pair.Negotiate(), fault.words.empty()) << pair.Errors();
      if (fault.words.empty()) continue;
      EXPECT_EQ(pair.client.error.code(), Errc::kAuthentication);
      for (const std::string& word : fault.words) {
        EXPECT_NE(pair.client.error.message().find(word), std::string::npos)
            << word << " in: " << pair.client.error.message();
      }
      EXPECT_NE(pair.server.error.message().find("ended the TLS session"), std::string::npos)
          << pair.server.error.message();
    }
  }
}

TEST(SslCertificateTest, UnknownIssuer) {
  const Identity other(TestPki().directory, {.name = "Other CA", .ca = true});
  SslPair pair;
  pair.initiator.tls_ca = other.file();
  EXPECT_FALSE(pair.Negotiate());
  const std::string& message = pair.client.error.message();
  for (const std::string& word : {std::string("CN=socks server"), std::string("CN=Test CA"),
                                  other.file(), std::string("--tls-ca")}) {
    EXPECT_NE(message.find(word), std::string::npos) << message;
  }
  SslPair system;
  system.initiator.tls_ca = "";
  EXPECT_FALSE(system.Negotiate());
  EXPECT_NE(system.client.error.message().find("the system's"), std::string::npos);
}

TEST(SslCertificateTest, OfTheClient) {
  const Identity stranger(TestPki().directory, {.name = "mallory", .client = true});
  for (const char* priority : {kTls12, kTls13}) {
    SslPair pair;
    pair.initiator.tls_priority = priority;
    pair.client_ca = TestPki().ca.file();
    pair.initiator.tls_cert = TestPki().client.file();
    ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
    EXPECT_EQ(pair.server.layer->Summary().client_principal, "CN=alice");
    for (const std::string& cert : {std::string(), stranger.file()}) {
      SslPair refused;
      refused.initiator.tls_priority = priority;
      refused.client_ca = TestPki().ca.file();
      refused.initiator.tls_cert = cert;
      EXPECT_FALSE(refused.Negotiate());
      EXPECT_EQ(refused.server.error.code(), Errc::kAuthentication);
      EXPECT_NE(refused.client.error.message().find("--tls-cert"), std::string::npos)
          << refused.Errors();
    }
  }
}

TEST(SslCertificateTest, FilesAndPrioritiesThatDoNotDo) {
  const std::string& good = TestPki().server.file();
  const std::string empty = TestPki().directory.Write("empty.pem", "");
  const std::string absent = TestPki().directory.path() + "/absent.pem";
  EXPECT_EQ(AcquireSslAcceptorCredential("", "", "", "").status().code(), Errc::kConfig);
  for (const std::string& file : {empty, absent}) {
    for (const auto& got : {AcquireSslAcceptorCredential(file, file, "", ""),
                            AcquireSslAcceptorCredential(good, file, "", ""),
                            AcquireSslAcceptorCredential(good, good, file, "")}) {
      EXPECT_EQ(got.status().code(), Errc::kCredentials);
      EXPECT_NE(got.status().message().find(file), std::string::npos) << got.status().message();
    }
  }
  EXPECT_FALSE(
      AcquireSslAcceptorCredential(good, TestPki().client.file(), "", "").ok());  // another key
  for (const char* priority : {"NONSENSE", "NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:-VERS-ALL"}) {
    auto got = AcquireSslAcceptorCredential(good, good, "", priority);
    EXPECT_EQ(got.status().code(), Errc::kConfig) << priority;
    auto layer = NewSslInitiator({.server_host = "localhost", .tls_priority = priority});
    EXPECT_EQ(layer->Prepare().code(), Errc::kConfig) << priority;
  }
  EXPECT_TRUE(AcquireSslAcceptorCredential(good, good, "", "NORMAL").ok());
  EXPECT_EQ(NewSslInitiator({.tls_ca = absent})->Prepare().code(), Errc::kCredentials);
  EXPECT_EQ(NewSslInitiator({.tls_cert = absent})->Prepare().code(), Errc::kCredentials);
}

TEST(SslResumptionTest, LaterConnectionsResume) {
  for (const char* priority : {kTls12, kTls13}) {
    SslPair first;
    first.initiator.tls_priority = priority;
    first.initiator.server_host = "proxy.example";
    first.initiator.tls_cert = TestPki().client.file();
    first.client_ca = TestPki().ca.file();
    first.initiator.subauth = first.acceptor.subauth = {Method::kUserpass};
    ASSERT_TRUE(first.Negotiate()) << first.Errors();
    EXPECT_EQ(Detail(first.client.layer->Summary(), "resumed"), "no");
    for (int i = 0; i < 3; i++) {
      SslPair later;
      later.initiator = first.initiator;
      later.acceptor = first.acceptor;
      ASSERT_TRUE(later.Negotiate()) << later.Errors();
      const SecuritySummary summary = later.server.layer->Summary();
      EXPECT_EQ(Detail(later.client.layer->Summary(), "resumed"), "yes");
      EXPECT_EQ(Detail(summary, "resumed"), "yes");
      EXPECT_EQ(Detail(summary, "subauthentication"), "userpass");  // not carried over
      EXPECT_EQ(Detail(summary, "certificate").find("CN=alice;"), 0u);
      EXPECT_EQ(later.client.layer->Summary().server_principal, "CN=socks server");
      ExpectTalks(*later.client.layer, *later.server.layer, 100);
    }
    SslPair wrong;  // a resumed session, and a wrong password
    wrong.initiator = first.initiator;
    wrong.initiator.password = Secret("looking-glass");
    wrong.acceptor = first.acceptor;
    EXPECT_FALSE(wrong.Negotiate());
    SslPair named;  // the same server by another name
    named.initiator = first.initiator;
    named.initiator.tls_name = "localhost";
    named.acceptor = first.acceptor;
    ASSERT_TRUE(named.Negotiate()) << named.Errors();
    EXPECT_EQ(Detail(named.client.layer->Summary(), "resumed"), "no");
    SslPair restarted;  // a server with another key
    restarted.initiator = first.initiator;
    restarted.acceptor.subauth = {Method::kUserpass};
    ASSERT_TRUE(restarted.Negotiate()) << restarted.Errors();
    EXPECT_EQ(Detail(restarted.client.layer->Summary(), "resumed"), "no");
  }
}

}  // namespace
}  // namespace socksify
