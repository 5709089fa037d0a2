// Datagrams under real Kerberos contexts: sizes, and everything that a network or an attacker could
// do to them (RFC 1961 section 6, protocol.md section 1).
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lib/engine/datagram_codec.h"
#include "lib/wire/datagram.h"
#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;

const Address kTarget = Address::Ipv4({192, 0, 2, 7}, 53);

Bytes Datagram(SecurityLayer& layer, ByteView data) {
  Bytes datagram;
  const Status status = SealDatagram(layer, kTarget, data, &datagram);
  EXPECT_TRUE(status.ok()) << status.message();
  return datagram;
}
Bytes Datagram(SecurityLayer& layer, const char* text) { return Datagram(layer, AsBytes(text)); }

// Opens a copy, so that a test can use the datagram again. "" is an error.
std::string Opened(SecurityLayer& layer, Bytes datagram) {
  auto opened = OpenDatagram(layer, datagram);
  if (!opened.ok()) return {};
  EXPECT_EQ(opened->address, kTarget);
  return std::string(AsText(opened->data));
}

std::unique_ptr<GssPair> Pair(Level level, bool ordered) {
  auto pair = std::make_unique<GssPair>(GssInitiatorOptions{.level = level, .ordered = ordered},
                                        GssAcceptorOptions{.levels = {level}});
  EXPECT_TRUE(pair->Negotiate()) << pair->Errors();
  return pair;
}

class GssDatagramTest : public RealmTest {
 protected:
  // With each pair of levels and orders, in both directions.
  template <typename Try>
  static void Everywhere(Try attempt) {
    for (Level level : {Level::kIntegrity, Level::kConfidentiality, Level::kSelective}) {
      for (bool ordered : {false, true}) {
        for (bool down : {false, true}) {
          SCOPED_TRACE(std::string(ProtectionLevelName(level)) + (ordered ? ", ordered" : "") +
                       (down ? ", down" : ", up"));
          auto pair = Pair(level, ordered);
          SecurityLayer* from = pair->client.layer.get();
          SecurityLayer* to = pair->server.layer.get();
          if (down) std::swap(from, to);
          attempt(*from, *to);
        }
      }
    }
  }
};

TEST_F(GssDatagramTest, TheInitiatorSaysWhetherOrderMatters) {
  for (bool ordered : {false, true}) {
    auto pair = Pair(Level::kConfidentiality, ordered);
    EXPECT_EQ(pair->client.layer->ordered(), ordered);
    EXPECT_EQ(pair->server.layer->ordered(), ordered);
    EXPECT_TRUE(pair->server.layer->relays_datagrams());
  }
}

TEST_F(GssDatagramTest, EveryBoundaryOfSize) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    const size_t overhead = from.Summary().level == Level::kIntegrity ? 28 : 60;
    const size_t most = MaxDatagramData(from, kTarget);
    EXPECT_EQ(most, 65507 - 4 - overhead - 10);  // 65433 at level 2: protocol.md section 1
    for (size_t size :
         {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{1472}, most - 1, most}) {
      const Bytes data(size, 'x');
      Bytes datagram = Datagram(from, data);
      EXPECT_EQ(datagram.size(), 4 + overhead + 10 + size);
      EXPECT_EQ(Hex(ByteView(datagram).first(2)), "0103");
      EXPECT_EQ(size_t{datagram[2]} << 8 | datagram[3], datagram.size() - 4);
      auto opened = OpenDatagram(to, datagram);
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      EXPECT_TRUE(std::ranges::equal(opened->data, data));
    }
    Bytes datagram;
    EXPECT_EQ(SealDatagram(from, kTarget, Bytes(most + 1), &datagram).code(), Errc::kUnsupported);
    EXPECT_TRUE(datagram.empty());
    EXPECT_EQ(Opened(to, Datagram(from, "next")), "next");  // nothing was spent
  });
}

TEST_F(GssDatagramTest, MissingOnesAndAnyOrderAreAsUdpHasThem) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    std::vector<Bytes> datagrams(60);
    for (size_t i = 0; i < datagrams.size(); i++) {
      datagrams[i] = Datagram(from, ("n" + std::to_string(i)).c_str());
    }
    for (size_t i : {3u, 9u, 4u, 0u, 59u, 58u, 20u}) {
      EXPECT_EQ(Opened(to, datagrams[i]), "n" + std::to_string(i));
    }
    for (size_t i : {0u, 3u, 4u, 9u, 20u, 58u, 59u}) EXPECT_EQ(Opened(to, datagrams[i]), "") << i;
  });
}

TEST_F(GssDatagramTest, ARepeatedOneIsDroppedHoweverOld) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    std::vector<Bytes> datagrams(300);
    for (size_t i = 0; i < datagrams.size(); i++) {
      datagrams[i] = Datagram(from, "once");
      if (i == 17) continue;  // does not come until it is too late to be told from a repeated one
      ASSERT_EQ(Opened(to, datagrams[i]), "once") << i;
      ASSERT_EQ(Opened(to, datagrams[i]), "") << i;
    }
    for (size_t i = 0; i < datagrams.size(); i++) ASSERT_EQ(Opened(to, datagrams[i]), "") << i;
    EXPECT_EQ(Opened(to, Datagram(from, "next")), "next");
  });
}

TEST_F(GssDatagramTest, AnAlteredOneIsDroppedAndTheSessionGoesOn) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    const Bytes datagram = Datagram(from, "data");
    for (size_t at = 0; at < datagram.size(); at++) {
      for (int bit : {0, 3, 7}) {
        Bytes altered = datagram;
        altered[at] = static_cast<uint8_t>(altered[at] ^ 1 << bit);
        ASSERT_EQ(Opened(to, altered), "") << at;
      }
    }
    for (size_t cut = 0; cut < datagram.size(); cut++) {
      Bytes prefix(datagram.begin(), datagram.begin() + static_cast<ptrdiff_t>(cut));
      ASSERT_EQ(Opened(to, prefix), "") << cut;
      if (cut < 4) continue;
      WriteFrameHeader(prefix, 3, static_cast<uint16_t>(cut - 4));  // of the right length
      ASSERT_EQ(Opened(to, prefix), "") << cut;
    }
    Bytes longer = datagram;
    longer.push_back(0);
    EXPECT_EQ(Opened(to, longer), "");
    Bytes two = datagram;
    Append(two, Datagram(from, "two"));
    EXPECT_EQ(Opened(to, two), "");
    EXPECT_EQ(Opened(to, datagram), "data");  // nothing of it has counted as this one
  });
}

TEST_F(GssDatagramTest, PlainOnesAndThoseOfOthersAreDropped) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    Bytes plain;
    ASSERT_TRUE(AppendDatagramHead(plain, kTarget).ok());
    Append(plain, AsBytes("data"));
    EXPECT_EQ(Opened(to, plain), "");
    EXPECT_EQ(Opened(to, Message(3, plain)), "");
    EXPECT_EQ(Opened(to, {}), "");
    EXPECT_EQ(Opened(from, Datagram(from, "reflected")), "");
    auto other = Pair(Level::kConfidentiality, false);
    EXPECT_EQ(Opened(to, Datagram(*other->client.layer, "other")), "");
    EXPECT_EQ(Opened(to, Datagram(*other->server.layer, "other")), "");
    for (int type : {1, 2, 4, 0xff}) {
      Bytes changed = Datagram(from, "type");
      changed[1] = static_cast<uint8_t>(type);
      EXPECT_EQ(Opened(to, changed), "") << type;
    }
    EXPECT_EQ(Opened(to, Datagram(from, "good")), "good");
  });
}

TEST_F(GssDatagramTest, OfLessThanTheLevelIsDroppedAndTheSessionGoesOn) {
  for (Level level : {Level::kIntegrity, Level::kConfidentiality}) {
    GssPeer peer;
    Side server{NewGssAcceptor({.levels = {level}}), {}, false, {}};
    Bytes answer = server.Take(
        Message(1, peer.Initiate({}, GssPeer::kAllFlags & ~OM_uint32{GSS_C_SEQUENCE_FLAG})));
    (void)peer.Initiate(TokenOf(answer));
    ASSERT_TRUE(peer.complete());
    server.Take(Message(2, peer.Wrap({static_cast<uint8_t>(level)}, false)));
    ASSERT_TRUE(server.established) << server.error.message();
    EXPECT_FALSE(server.layer->ordered());
    Bytes plain;
    ASSERT_TRUE(AppendDatagramHead(plain, kTarget).ok());
    Append(plain, AsBytes("data"));
    const bool integrity_will_do = level == Level::kIntegrity;
    EXPECT_EQ(Opened(*server.layer, Message(3, peer.Wrap(plain, false))),
              integrity_will_do ? "data" : "");
    EXPECT_EQ(Opened(*server.layer, Message(3, peer.Wrap(plain, true))), "data");
  }
}

TEST_F(GssDatagramTest, FramesOfTheConnectionCountWithThem) {
  auto pair = Pair(Level::kConfidentiality, false);
  SecurityLayer &client = *pair->client.layer, &server = *pair->server.layer;
  Bytes frame = Sealed(client, Text("frame"));
  EXPECT_EQ(Opened(server, Datagram(client, "data")), "data");
  Bytes copy = frame;
  ASSERT_TRUE(server.Open(frame).ok());
  EXPECT_FALSE(server.OpenDatagram(copy).ok());  // a frame again as a datagram
  Bytes datagram = Datagram(client, "data");
  EXPECT_EQ(Opened(server, datagram), "data");
  EXPECT_FALSE(server.Open(datagram).ok());  // and the other way round, which ends the session
  EXPECT_EQ(Opened(server, Datagram(client, "data")), "");
}

TEST_F(GssDatagramTest, ASessionThatWasHandedOverGoesOnWithThem) {
  Everywhere([](SecurityLayer& from, SecurityLayer& to) {
    const Bytes before = Datagram(from, "before");
    EXPECT_EQ(Opened(to, before), "before");
    const Bytes late = Datagram(from, "late");
    auto state = to.Export();
    ASSERT_TRUE(state.ok()) << state.status().message();
    EXPECT_EQ(Opened(to, late), "");
    auto imported = ImportSecurityLayer(*state);
    ASSERT_TRUE(imported.ok()) << imported.status().message();
    EXPECT_TRUE((*imported)->relays_datagrams());
    EXPECT_EQ((*imported)->ordered(), from.ordered());
    EXPECT_EQ((*imported)->MaxDatagram(), from.MaxDatagram());
    EXPECT_EQ(Opened(**imported, before), "");
    EXPECT_EQ(Opened(**imported, Datagram(from, "after")), "after");
    EXPECT_EQ(Opened(**imported, late), "late");
    EXPECT_EQ(Opened(**imported, late), "");
    EXPECT_EQ(Opened(from, Datagram(**imported, "back")), "back");
  });
}

}  // namespace
}  // namespace socksify
