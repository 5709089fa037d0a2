// Options and subauthentication inside TLS: our roles against each other, and each against a peer
// that says what it likes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lib/security/ssl_base.h"
#include "lib/security/ssl_credentials.h"
#include "lib/security/ssl_session.h"
#include "lib/wire/ssl_options.h"
#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

TEST(SslOptionsTest, Codec) {
  for (const Bytes& list : {B({0}), B({1, 1}), B({3, 1, 0x10, 0x77})}) {
    ExpectCutsWell(list, [](ByteView octets) { return ParseSslOptions(octets); });
    Bytes again;
    AppendSslOptions(again, ParseSslOptions(list)->message);
    EXPECT_EQ(again, list);
  }
}

// A TLS session without a layer, on either side.
struct Bare {
  std::unique_ptr<SslSession> session;
  RecordSplitter splitter;
  bool shaken = false, closed = false;
  Bytes plain;
  Status error;

  // Takes frames, gives frames of what TLS itself has to say.
  Bytes Take(Bytes stream) {
    Bytes records, frames;
    if (stream.empty()) Shake({}, &records);
    for (ByteSpan rest = stream; rest.size() >= 4;) {
      const size_t length = size_t{rest[2]} << 8 | rest[3];
      Status status = splitter.Feed(rest.subspan(4, length), [&](ByteSpan record, bool) -> Status {
        if (!shaken) {
          Shake(record, &records);
          return {};
        }
        auto opened = session->Open(record);
        if (!opened.ok()) return opened.status();
        Append(plain, *opened);
        closed = session->peer_closed();
        return {};
      });
      if (!status.ok()) error = status;
      rest = rest.subspan(4 + length);
    }
    AppendFrames(SslState::kHandshake, records, &frames);
    return frames;
  }
  void Shake(ByteView record, Bytes* records) {
    auto done = session->Handshake(record, records);
    if (!done.ok()) error = done.status();
    shaken = done.ok() && *done;
  }
  Bytes Say(ByteView octets) {
    Bytes records, frames;
    EXPECT_TRUE(session->Seal(octets, &records).ok());
    AppendFrames(SslState::kOptions, records, &frames);
    return frames;
  }
  Bytes Heard() { return std::exchange(plain, {}); }
};

// Our initiator at a bare server, up to the options that it offers.
struct ClientAtBare {
  SslPair pair;
  Bare server;

  explicit ClientAtBare(std::vector<Method> subauth, bool udp_naked = false) {
    pair.initiator.subauth = std::move(subauth);
    pair.initiator.udp_naked = udp_naked;
    pair.Make();
    server.session = std::move(*SslSession::Server(pair.acceptor.credential->get()));
    for (Bytes up = pair.client.Go(); !up.empty();) {
      const Bytes down = server.Take(up);
      up = down.empty() ? Bytes() : pair.client.Take(down);
    }
    EXPECT_TRUE(server.shaken);
  }
  // What the client answers.
  Bytes Hear(ByteView octets) {
    server.Take(pair.client.Take(server.Say(octets)));
    return server.Heard();
  }
};

TEST(SslNegotiationTest, WhatTheClientOffers) {
  EXPECT_EQ(Hex(ClientAtBare({}).server.Heard()), "00");
  EXPECT_EQ(Hex(ClientAtBare({Method::kChap}).server.Heard()), "0101");
  EXPECT_EQ(Hex(ClientAtBare({}, true).server.Heard()), "0110");
  EXPECT_EQ(Hex(ClientAtBare({Method::kChap}, true).server.Heard()), "020110");
}

TEST(SslNegotiationTest, TheServersPartOfTheOptions) {
  const std::pair<Bytes, bool> kTable[] = {
      {B({0}), true},        {B({1, 0x10}), true},        {B({1, 2}), false},
      {B({2, 1, 1}), false}, {B({2, 0x10, 0x10}), false}, {B({3, 1, 0x10, 9}), false},
  };
  for (const auto& [answer, good] : kTable) {
    ClientAtBare at({Method::kUserpass}, true);
    at.Hear(answer);
    EXPECT_EQ(at.pair.client.established, good) << Hex(answer);
    EXPECT_EQ(at.pair.client.error.code(), good ? Errc::kOk : Errc::kPolicy) << Hex(answer);
    EXPECT_EQ(at.server.closed, !good);  // in an orderly way
  }
  ClientAtBare none({});
  none.Hear(B({1, 1}));
  EXPECT_EQ(none.pair.client.error.code(), Errc::kPolicy);
}

TEST(SslNegotiationTest, OptionsOctetByOctet) {
  ClientAtBare at({Method::kUserpass, Method::kChap, Method::kNone});
  at.server.Heard();
  EXPECT_TRUE(at.Hear(B({1})).empty());
  EXPECT_EQ(Hex(at.Hear(B({1}))), "0503020300");
  EXPECT_TRUE(at.Hear(B({5})).empty());
  EXPECT_EQ(Hex(at.Hear(B({2}))), "0105616c6963650a776f6e6465726c616e64");
  EXPECT_TRUE(at.Hear(B({1})).empty());
  EXPECT_FALSE(at.pair.client.established);
  at.Hear(B({0}));
  EXPECT_TRUE(at.pair.client.established);
  EXPECT_EQ(at.pair.client.layer->Summary().client_principal, "alice");
}

TEST(SslNegotiationTest, SubauthenticationsThatEndIt) {
  const std::pair<Bytes, Errc> kTable[] = {
      {B({5, 0xff}), Errc::kAuthentication},
      {B({5, 3}), Errc::kPolicy},
      {B({5, 0}), Errc::kPolicy},
      {B({4, 2}), Errc::kMalformed},
      {B({5, 2, 1, 1}), Errc::kAuthentication},
  };
  for (const auto& [answer, error] : kTable) {
    ClientAtBare at({Method::kUserpass});
    at.Hear(B({1, 1}));
    at.Hear(answer);
    EXPECT_EQ(at.pair.client.error.code(), error) << Hex(answer);
    EXPECT_TRUE(at.server.closed);
  }
}

TEST(SslNegotiationTest, WhatComesBehindTheNegotiationIsKept) {
  ClientAtBare at({});
  at.Hear(B({0, 'x', 'y'}));
  ASSERT_TRUE(at.pair.client.established);
  EXPECT_EQ(AsText(at.pair.client.layer->TakeEarlyPlaintext()), "xy");
  EXPECT_TRUE(at.pair.client.layer->TakeEarlyPlaintext().empty());
}

TEST(SslNegotiationTest, ACloseInTheNegotiation) {
  ClientAtBare at({});
  Bytes records, frames;
  ASSERT_TRUE(at.server.session->CloseNotify(&records).ok());
  AppendFrames(SslState::kClosing, records, &frames);
  at.server.Take(at.pair.client.Take(frames));
  EXPECT_EQ(at.pair.client.error.code(), Errc::kServerClosed);
  EXPECT_TRUE(at.server.closed);
}

// Our acceptor at a bare client.
struct ServerAtBare {
  SslPair pair;
  Bare client;

  explicit ServerAtBare(std::vector<Method> subauth, bool udp_naked = false) {
    pair.acceptor.subauth = std::move(subauth);
    pair.acceptor.udp_naked = udp_naked;
    pair.Make();
    auto credential = LoadSslInitiatorCredential(pair.initiator);
    client.session = std::move(*SslSession::Client(*credential, "localhost", {}));
    for (Bytes up = client.Take({}); !up.empty();) {
      const Bytes down = pair.server.Take(up);
      up = down.empty() ? Bytes() : client.Take(down);
    }
    EXPECT_TRUE(client.shaken) << client.error.message();
  }
  Bytes Hear(ByteView octets) {
    client.Take(pair.server.Take(client.Say(octets)));
    return client.Heard();
  }
};

TEST(SslNegotiationTest, TheServersAnswerIsAPartInTheOfferedOrder) {
  const struct {
    std::vector<Method> subauth;
    bool udp;
    Bytes offer;
    const char* answer;
  } kTable[] = {
      {{}, false, B({0}), "00"},
      {{}, false, B({2, 1, 0x10}), "00"},
      {{}, true, B({2, 1, 0x10}), "0110"},
      {{Method::kChap}, false, B({3, 7, 1, 0x10}), "0101"},
      {{Method::kChap}, true, B({5, 0x10, 9, 1, 0x10, 1}), "021001"},
      {{Method::kNone}, false, B({0}), "00"},
      {{Method::kChap, Method::kNone}, false, B({1, 0x10}), "00"},
  };
  for (const auto& row : kTable) {
    ServerAtBare at(row.subauth, row.udp);
    EXPECT_EQ(Hex(at.Hear(row.offer)), row.answer);
    EXPECT_TRUE(at.pair.server.error.ok());
    EXPECT_EQ(at.pair.server.established, !std::string(row.answer).ends_with("01"));
  }
}

TEST(SslNegotiationTest, RequiredSubauthenticationIsNotOffered) {
  ServerAtBare at({Method::kUserpass, Method::kChap});
  EXPECT_TRUE(at.Hear(B({1, 0x10})).empty());
  EXPECT_EQ(at.pair.server.error.code(), Errc::kPolicy);
  EXPECT_NE(at.client.error.message().find("Access was denied"), std::string::npos)
      << at.client.error.message();
}

TEST(SslNegotiationTest, TheServersChoiceOfSubauthentication) {
  ServerAtBare at({Method::kChap, Method::kUserpass});
  at.Hear(B({1, 1}));
  EXPECT_EQ(Hex(at.Hear(B({5, 2, 2, 3}))), "0503");  // the server's order
  ServerAtBare none({Method::kChap});
  none.Hear(B({1, 1}));
  EXPECT_EQ(Hex(none.Hear(B({5, 2, 0, 2}))), "05ff");
  EXPECT_EQ(none.pair.server.error.code(), Errc::kPolicy);
  EXPECT_TRUE(none.client.closed);
}

TEST(SslNegotiationTest, AWrongPasswordIsSaidBeforeTheClose) {
  ServerAtBare at({Method::kUserpass});
  at.Hear(B({1, 1}));
  EXPECT_EQ(Hex(at.Hear(B({5, 1, 2}))), "0502");
  EXPECT_EQ(Hex(at.Hear(B({1, 1, 'a', 1, 'b'}))), "0101");
  EXPECT_EQ(at.pair.server.error.code(), Errc::kAuthentication);
  EXPECT_TRUE(at.client.closed);
}

// A client that does not wait: everything in one record.
TEST(SslNegotiationTest, EverythingAtOnce) {
  ServerAtBare at({Method::kUserpass});
  Bytes all = B({1, 1, 5, 1, 2, 1, 5});
  Append(all, Text("alice\x0awonderland"));
  Append(all, Text("request"));
  EXPECT_EQ(Hex(at.Hear(all)), "010105020100");
  ASSERT_TRUE(at.pair.server.established) << at.pair.server.error.message();
  EXPECT_EQ(AsText(at.pair.server.layer->TakeEarlyPlaintext()), "request");
  EXPECT_EQ(at.pair.server.layer->Summary().client_principal, "alice");
}

}  // namespace
}  // namespace socksify
