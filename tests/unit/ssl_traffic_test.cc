// Every kind of record on an established session, at GnuTLS and at our own record protection alike:
// what is legal has the same effect, what is not ends the session.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/ssl_peer.h"

namespace socksify {
namespace {

// A client, live in GnuTLS or handed over, at a server that the test plays.
struct AtPeer {
  std::unique_ptr<SslPair> pair;
  std::unique_ptr<SslPeer> peer;

  AtPeer(const char* priority, bool imported) : pair(EstablishedSslPair(priority)) {
    if (imported) HandOver();
    peer = std::make_unique<SslPeer>(&pair->server);
  }
  void HandOver() {
    auto state = pair->client.layer->Export();
    ASSERT_TRUE(state.ok()) << state.status().message();
    auto layer = ImportSecurityLayer(*state);
    ASSERT_TRUE(layer.ok()) << layer.status().message();
    pair->client.layer = std::move(*layer);
  }
  SecurityLayer& layer() { return *pair->client.layer; }
  void ExpectOpens(Bytes frame, std::string_view text) {
    auto plain = OpenAll(layer(), std::move(frame));
    ASSERT_TRUE(plain.ok()) << plain.status().message();
    EXPECT_EQ(AsText(*plain), text);
  }
};

struct Kind {
  const char* priority;
  bool imported;
};
class SslTrafficTest : public ::testing::TestWithParam<Kind> {
 protected:
  AtPeer New() const { return {GetParam().priority, GetParam().imported}; }
  bool tls13() const { return GetParam().priority == kTls13; }
};

TEST_P(SslTrafficTest, DataBothWays) {
  AtPeer at = New();
  at.ExpectOpens(at.peer->Data("down"), "down");
  Bytes frames = Sealed(at.layer(), Text("up"));
  EXPECT_EQ(at.peer->Read(&frames), std::pair(uint8_t{23}, std::string("up")));
}

TEST_P(SslTrafficTest, EmptyRecordsAreNoEnd) {
  AtPeer at = New();
  for (int i = 0; i < 3; i++) at.ExpectOpens(at.peer->Data(""), "");
  at.ExpectOpens(at.peer->Data("x"), "x");
  EXPECT_FALSE(at.layer().peer_closed());
}

TEST_P(SslTrafficTest, CloseNotifyAndWhatFollowsIt) {
  AtPeer at = New();
  Bytes frames = at.peer->Data("last");
  Append(frames, at.peer->Frame(21, B({1, 0}), 4));
  Append(frames, at.peer->Data("too late"));
  at.ExpectOpens(frames, "last");
  EXPECT_TRUE(at.layer().peer_closed());
  Bytes up = Sealed(at.layer(), Text("still"));
  EXPECT_EQ(at.peer->Read(&up).second, "still");
  Bytes bye;
  ASSERT_TRUE(at.layer().Close(&bye).ok());
  EXPECT_EQ(bye[1], 4);
  EXPECT_EQ(at.peer->Read(&bye), std::pair(uint8_t{21}, std::string("\1\0", 2)));
}

TEST_P(SslTrafficTest, WhatEndsTheSession) {
  const struct {
    const char* what;
    uint8_t type;
    Bytes content;
    bool in_tls12;
  } kTable[] = {
      {"a fatal alert", 21, B({2, 40}), true},
      {"an empty alert", 21, {}, false},  // GnuTLS ignores it in TLS 1.2
      {"half an alert", 21, B({2}), true},
      {"change_cipher_spec", 20, B({1}), true},
      {"an unknown type", 24, B({1, 2, 3}), true},
      {"Finished", 22, B({20, 0, 0, 2, 1, 1}), false},
      {"an update that is none", 22, B({24, 0, 0, 1, 2}), false},
      {"an update of two octets", 22, B({24, 0, 0, 2, 0, 0}), false},
      {"an empty record of the handshake", 22, {}, false},
      {"a request to authenticate", 22, B({13, 0, 0, 3, 0, 0, 0}), false},
      {"HelloRequest", 22, B({0, 0, 0, 0}), true},
      {"data inside a message of the handshake", 22, B({4, 0, 0, 9, 1}), false},
  };
  for (const auto& row : kTable) {
    if (!tls13() && !row.in_tls12) continue;
    SCOPED_TRACE(row.what);
    AtPeer at = New();
    Bytes frames = at.peer->Frame(row.type, row.content);
    Append(frames, at.peer->Data("x"));
    EXPECT_FALSE(OpenAll(at.layer(), frames).ok());
    EXPECT_FALSE(at.layer().peer_closed());
  }
}

TEST_P(SslTrafficTest, RecordsThatAreTooLong) {
  AtPeer at = New();
  at.ExpectOpens(at.peer->Frame(23, Bytes(16384, 'x')), std::string(16384, 'x'));
  EXPECT_FALSE(OpenAll(at.layer(), at.peer->Frame(23, Bytes(16385, 'x'))).ok());
}

TEST_P(SslTrafficTest, UpdatesOfKeys) {
  if (!tls13()) return;
  AtPeer at = New();
  for (int times = 0; times < 3; times++) {
    Bytes frames = at.peer->Frame(22, kKeyUpdate);
    at.peer->UpdateWrite();
    Append(frames, at.peer->Data("new keys"));
    at.ExpectOpens(frames, "new keys");
    Bytes up = Sealed(at.layer(), Text("up"));  // nothing was asked of us
    EXPECT_EQ(at.peer->Read(&up), std::pair(uint8_t{23}, std::string("up")));
  }
  at.ExpectOpens(at.peer->Frame(22, kKeyUpdateRequested), "");
  at.peer->UpdateWrite();
  Bytes up = Sealed(at.layer(), Pattern(at.layer().MaxPlaintext()));
  EXPECT_EQ(*at.layer().FrameSize(up), up.size());  // in one frame, with the longest plaintext
  EXPECT_EQ(at.peer->Read(&up), std::pair(uint8_t{22}, std::string("\x18\0\0\1\0", 5)));
  at.peer->UpdateRead();
  EXPECT_EQ(at.peer->Read(&up).first, 23);
}

TEST_P(SslTrafficTest, AnUpdateThatIsDueGoesAlong) {
  if (!tls13()) return;
  AtPeer at = New();
  at.ExpectOpens(at.peer->Frame(22, kKeyUpdate), "");
  at.peer->UpdateWrite();
  at.ExpectOpens(at.peer->Frame(22, kKeyUpdateRequested), "");
  at.peer->UpdateWrite();
  at.HandOver();
  at.ExpectOpens(at.peer->Data("down"), "down");
  Bytes up = Sealed(at.layer(), Text("up"));
  EXPECT_EQ(at.peer->Read(&up).second, std::string("\x18\0\0\1\0", 5));
  at.peer->UpdateRead();
  EXPECT_EQ(at.peer->Read(&up).second, "up");
}

TEST_P(SslTrafficTest, TicketsMeanNothing) {
  if (!tls13()) return;
  AtPeer at = New();
  Bytes ticket = B({4, 0, 0, 17, 0, 0, 0, 60, 1, 2, 3, 4, 1, 9, 0, 3, 7, 7, 7, 0, 0});
  at.ExpectOpens(at.peer->Frame(22, ticket), "");
  if (GetParam().imported) {  // cut over records
    at.ExpectOpens(at.peer->Frame(22, ByteView(ticket).first(3)), "");
    at.ExpectOpens(at.peer->Frame(22, ByteView(ticket).subspan(3)), "");
  }
  at.ExpectOpens(at.peer->Data("x"), "x");
}

TEST_P(SslTrafficTest, HandedOverInsideARecord) {
  AtPeer at = New();
  for (size_t cut : {1, 3, 4, 5, 6, 20, 3000}) {
    const Bytes stream = at.peer->Frame(23, Bytes(3000, 'x'));
    const Bytes framed = Reframed(stream, cut);
    const Bytes first(framed.begin(), framed.begin() + static_cast<ptrdiff_t>(4 + cut));
    at.ExpectOpens(first, "");
    at.HandOver();
    at.ExpectOpens(Bytes(framed.begin() + static_cast<ptrdiff_t>(4 + cut), framed.end()),
                   std::string(3000, 'x'));
  }
}

TEST_P(SslTrafficTest, HandedOverWhenADirectionHasEnded) {
  AtPeer at = New();
  Bytes bye, none;
  ASSERT_TRUE(at.layer().Close(&bye).ok());
  at.HandOver();
  EXPECT_FALSE(at.layer().Seal(Text("x"), &none).ok());
  ASSERT_TRUE(at.layer().Close(&none).ok());
  EXPECT_TRUE(none.empty());
  at.ExpectOpens(at.peer->Data("x"), "x");
  at.ExpectOpens(at.peer->Frame(21, B({1, 0}), 4), "");
  at.HandOver();
  EXPECT_TRUE(at.layer().peer_closed());
}

INSTANTIATE_TEST_SUITE_P(Kinds, SslTrafficTest,
                         ::testing::Values(Kind{kTls12, false}, Kind{kTls12, true},
                                           Kind{kTls13, false}, Kind{kTls13, true}),
                         [](const auto& kind) {
                           return std::string(kind.param.priority == kTls13 ? "Tls13" : "Tls12") +
                                  (kind.param.imported ? "HandedOver" : "Live");
                         });

}  // namespace
}  // namespace socksify
