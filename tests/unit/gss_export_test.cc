// Sessions that go on in another layer, as they would in another process (Export, Import).
#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/gss_pair.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;
using Mechanism = GssInitiatorOptions::Mechanism;

class GssExportTest : public RealmTest {};

void ExpectOpens(SecurityLayer& layer, Bytes frame, std::string_view expected) {
  auto plain = layer.Open(frame);
  ASSERT_TRUE(plain.ok()) << plain.status().message();
  EXPECT_EQ(AsText(*plain), expected);
}

// Octets both ways, so that the sequence numbers of the two directions differ.
void Talk(GssPair& pair, const std::string& text) {
  for (int i = 0; i < 3; i++) {
    ExpectOpens(*pair.server.layer, Sealed(*pair.client.layer, Text(text)), text);
  }
  ExpectOpens(*pair.client.layer, Sealed(*pair.server.layer, Text(text)), text);
}

void HandOver(Side* side) {
  auto state = side->layer->Export();
  ASSERT_TRUE(state.ok()) << state.status().message();
  auto layer = ImportSecurityLayer(*state);
  ASSERT_TRUE(layer.ok()) << layer.status().message();
  side->layer = std::move(*layer);
}

TEST_F(GssExportTest, GoesOnAtEveryLevelOnBothSides) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}) {
    SCOPED_TRACE(ProtectionLevelName(level));
    auto pair = EstablishedPair(level);
    const size_t most = pair->client.layer->MaxPlaintext();
    const size_t least = pair->client.layer->MinFrameSize();
    Talk(*pair, "before");
    for (int times = 0; times < 2; times++) {
      for (Side* side : {&pair->client, &pair->server}) {
        HandOver(side);
        Talk(*pair, "after");
      }
    }
    EXPECT_TRUE(pair->client.layer->framed());
    EXPECT_EQ(pair->client.layer->Summary().level, level);
    EXPECT_EQ(pair->client.layer->MaxPlaintext(), most);
    EXPECT_EQ(pair->client.layer->MinFrameSize(), least);
    const std::string all(most, 'x');
    ExpectOpens(*pair->server.layer, Sealed(*pair->client.layer, Text(all)), all);
  }
}

TEST_F(GssExportTest, Spnego) {
  GssPair pair({.server_host = kRealmHost, .mechanism = Mechanism::kSpnego});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  Talk(pair, "before");
  HandOver(&pair.client);
  Talk(pair, "after");
}

TEST_F(GssExportTest, TheLongestTokenSentGoesAlong) {
  GssPair pair({.server_host = kRealmHost, .max_token = 16192});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  const size_t most = pair.client.layer->MaxPlaintext();
  HandOver(&pair.client);
  EXPECT_EQ(pair.client.layer->MaxPlaintext(), most);
}

// Frames on their way while the session changes hands.
TEST_F(GssExportTest, FramesSealedBeforeAreOpenedAfter) {
  auto pair = EstablishedPair();
  const Bytes up = Sealed(*pair->client.layer, Text("up"));
  const Bytes down = Sealed(*pair->server.layer, Text("down"));
  HandOver(&pair->client);
  ExpectOpens(*pair->client.layer, down, "down");
  ExpectOpens(*pair->server.layer, up, "up");
  Talk(*pair, "after");
}

TEST_F(GssExportTest, ReplayedMissingAndAlteredFramesAreRefusedAfter) {
  for (const char* fault : {"replayed", "missing", "altered"}) {
    SCOPED_TRACE(fault);
    auto pair = EstablishedPair();
    const Bytes first = Sealed(*pair->server.layer, Text("first"));
    ExpectOpens(*pair->client.layer, first, "first");
    HandOver(&pair->client);
    Bytes frame = first;
    if (fault != std::string("replayed")) frame = Sealed(*pair->server.layer, Text("second"));
    if (fault == std::string("missing")) frame = Sealed(*pair->server.layer, Text("third"));
    if (fault == std::string("altered")) frame.back() ^= 1;
    EXPECT_EQ(pair->client.layer->Open(frame).status().code(), Errc::kIntegrity);
  }
}

TEST_F(GssExportTest, WhatWasAgreedIsStillTheLeast) {
  auto pair = EstablishedPair(Level::kConfidentiality);
  auto state = pair->server.layer->Export();
  ASSERT_TRUE(state.ok());
  (*state)[1] = static_cast<uint8_t>(Level::kIntegrity);  // a server that protects less
  auto server = ImportSecurityLayer(*state);
  ASSERT_TRUE(server.ok());
  HandOver(&pair->client);
  Bytes frame = Sealed(**server, Text("not hidden"));
  EXPECT_EQ(pair->client.layer->Open(frame).status().code(), Errc::kPolicy);
}

TEST_F(GssExportTest, AnExportedLayerIsOver) {
  auto pair = EstablishedPair();
  Bytes frame = Sealed(*pair->server.layer, Text("late"));
  ASSERT_TRUE(pair->client.layer->Export().ok());
  Bytes kept;
  EXPECT_FALSE(pair->client.layer->Seal(Text("late"), &kept).ok());
  EXPECT_TRUE(kept.empty());
  EXPECT_FALSE(pair->client.layer->Open(frame).ok());
  EXPECT_FALSE(pair->client.layer->Export().ok());
}

TEST_F(GssExportTest, OnlyAnEstablishedSessionIsExported) {
  GssPair pair;
  EXPECT_EQ(pair.client.layer->Export().status().code(), Errc::kUnsupported);
  EXPECT_FALSE(pair.client.Go().empty());
  EXPECT_EQ(pair.client.layer->Export().status().code(), Errc::kUnsupported);
}

TEST_F(GssExportTest, WhatIsNoWholeStateIsRefused) {
  auto pair = EstablishedPair();
  auto state = pair->client.layer->Export();
  ASSERT_TRUE(state.ok());
  ExpectNoPartIsImported(*state);
  for (size_t at : {0, 1}) {
    Bytes other = *state;
    other[at] = 9;
    EXPECT_EQ(ImportSecurityLayer(other).status().code(), Errc::kMalformed);
  }
  EXPECT_FALSE(ImportSecurityLayer(Bytes(5000, 0xff)).ok());
  EXPECT_TRUE(ImportSecurityLayer(*state).ok());  // the refused ones have spent nothing
}

}  // namespace
}  // namespace socksify
