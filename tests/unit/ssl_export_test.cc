// Sessions that go on in another layer, as they would in another process: GnuTLS on one side, our
// own record protection on the other.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/ssl_pair.h"

namespace socksify {
namespace {

const std::string kCiphers[] = {"AES-256-GCM", "AES-128-GCM",   "CHACHA20-POLY1305", "AES-128-CCM",
                                "AES-256-CCM", "AES-128-CCM-8", "AES-256-CCM-8"};

std::string Priority(const char* version, const std::string& cipher) {
  return std::string(version) + ":-CIPHER-ALL:+" + cipher;
}

void HandOver(Side* side) {
  auto state = side->layer->Export();
  ASSERT_TRUE(state.ok()) << state.status().message();
  auto layer = ImportSecurityLayer(*state);
  ASSERT_TRUE(layer.ok()) << layer.status().message();
  side->layer = std::move(*layer);
}

void TalkBothWays(SslPair& pair) {
  for (size_t size : {1, 100, 16384, 16385, 65000}) {
    ExpectTalks(*pair.client.layer, *pair.server.layer, size);
    ExpectTalks(*pair.server.layer, *pair.client.layer, size);
  }
}

TEST(SslExportTest, EveryCipherOfBothVersions) {
  for (const char* version : {kTls12, kTls13}) {
    for (const std::string& cipher : kCiphers) {
      SCOPED_TRACE(version + cipher);
      if (cipher.starts_with("AES-256-CCM") && version == kTls13) continue;  // it has none
      auto pair = EstablishedSslPair(Priority(version, cipher));
      ASSERT_TRUE(pair->client.established) << pair->Errors();
      ASSERT_NE(pair->client.layer->Summary().mechanism.find(cipher), std::string::npos);
      const size_t most = pair->client.layer->MaxPlaintext();
      TalkBothWays(*pair);
      for (int times = 0; times < 2; times++) {
        for (Side* side : {&pair->client, &pair->server}) {
          HandOver(side);
          TalkBothWays(*pair);
          ExpectTalks(*pair->client.layer, *pair->server.layer, most);
        }
      }
      EXPECT_EQ(pair->client.layer->MaxPlaintext(), most);
    }
  }
}

TEST(SslExportTest, WhetherDatagramsAreRelayedGoesAlong) {
  for (bool naked : {false, true}) {
    SslPair pair;
    pair.initiator.udp_naked = naked;
    pair.acceptor.udp_naked = true;
    ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
    for (Side* side : {&pair.client, &pair.server}) {
      for (int times = 0; times < 2; times++) {
        EXPECT_EQ(side->layer->relays_datagrams(), naked);
        EXPECT_EQ(side->layer->MaxDatagram(), naked ? 65507u : 0u);
        Bytes datagram, plain = Text("data");
        EXPECT_EQ(side->layer->SealDatagram(plain, &datagram).ok(), naked);
        EXPECT_EQ(datagram, naked ? plain : Bytes());
        EXPECT_EQ(side->layer->OpenDatagram(plain).ok(), naked);
        EXPECT_FALSE(side->layer->SealDatagram(Bytes(65508), &datagram).ok());
        HandOver(side);
      }
    }
  }
}

TEST(SslExportTest, AnExportedLayerIsOver) {
  auto pair = EstablishedSslPair();
  Bytes frame = Sealed(*pair->server.layer, Text("late"));
  ASSERT_TRUE(pair->client.layer->Export().ok());
  Bytes kept;
  EXPECT_FALSE(pair->client.layer->Seal(Text("late"), &kept).ok());
  EXPECT_FALSE(pair->client.layer->Close(&kept).ok());
  EXPECT_TRUE(kept.empty());
  EXPECT_FALSE(pair->client.layer->Open(frame).ok());
  EXPECT_FALSE(pair->client.layer->Export().ok());
}

TEST(SslExportTest, CbcIsNot) {
  auto pair = EstablishedSslPair(Priority(kTls12, "AES-128-CBC"));
  EXPECT_EQ(pair->client.layer->Export().status().code(), Errc::kUnsupported);
  TalkBothWays(*pair);  // it goes on
  ExpectTalks(*pair->client.layer, *pair->server.layer, pair->client.layer->MaxPlaintext());
}

TEST(SslExportTest, AlteredReplayedAndMissingRecordsAreRefusedAfter) {
  for (const char* version : {kTls12, kTls13}) {
    for (const char* fault : {"replayed", "missing", "altered", "shortened"}) {
      auto pair = EstablishedSslPair(version);
      Bytes frame = Sealed(*pair->server.layer, Text("first"));
      const Bytes kept = frame;
      ASSERT_TRUE(pair->client.layer->Open(frame).ok());
      HandOver(&pair->client);
      const Bytes second = Sealed(*pair->server.layer, Text("second"));
      frame = second;
      if (fault == std::string("replayed")) frame = kept;
      if (fault == std::string("missing")) frame = Sealed(*pair->server.layer, Text("third"));
      if (fault == std::string("altered")) frame.back() ^= 1;
      if (fault == std::string("shortened")) {  // the record and the frame say so
        frame.resize(12);
        frame[3] = 8;
        frame[8] = 3;
      }
      EXPECT_EQ(pair->client.layer->Open(frame).status().code(), Errc::kIntegrity) << fault;
      frame = second;
      EXPECT_FALSE(pair->client.layer->Open(frame).ok());
    }
  }
}

TEST(SslExportTest, WhatIsNoWholeStateIsRefused) {
  auto pair = EstablishedSslPair();
  auto state = pair->client.layer->Export();
  ASSERT_TRUE(state.ok());
  ExpectNoPartIsImported(*state);
  Bytes more = *state;
  more.push_back(0);
  EXPECT_FALSE(ImportSecurityLayer(more).ok());
  for (size_t at : {0, 1, 6, 7, 8}) {  // version, flags, TLS version, cipher, hash
    Bytes other = *state;
    other[at] = 99;
    EXPECT_FALSE(ImportSecurityLayer(other).ok()) << at;
  }
  EXPECT_TRUE(ImportSecurityLayer(*state).ok());
}

}  // namespace
}  // namespace socksify
