// The header of datagrams and the layers that leave them as they are.
#include "lib/wire/datagram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "lib/engine/datagram_codec.h"
#include "lib/security/clear_layer.h"
#include "tests/unit/cut.h"

namespace socksify {
namespace {

const Address kV4 = Address::Ipv4({192, 0, 2, 7}, 53);
const Address kV6 = Address::Ipv6({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 443);
const Address kName = Address::Name("host", 80);

Bytes Head(const Address& address) {
  Bytes head;
  EXPECT_TRUE(AppendDatagramHead(head, address).ok());
  return head;
}

TEST(DatagramTest, HeadsAreAsTheRfcDrawsThem) {
  EXPECT_EQ(Head(kV4), B({0, 0, 0, 1, 192, 0, 2, 7, 0, 53}));
  EXPECT_EQ(Head(kName), B({0, 0, 0, 3, 4, 'h', 'o', 's', 't', 0, 80}));
  EXPECT_EQ(Head(kV6),
            B({0, 0, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0xbb}));
  // protocol.md section 4: 10, 22, 7 and the name's own
  EXPECT_EQ(DatagramHeadSize(kV4), 10u);
  EXPECT_EQ(DatagramHeadSize(kV6), 22u);
  EXPECT_EQ(DatagramHeadSize(kName), 11u);
}

TEST(DatagramTest, ParsesWhatItAppendsAndNoPartOfIt) {
  for (const Address& address : {kV4, kV6, kName, Address::Name(std::string(255, 'n'), 1)}) {
    const Bytes head = Head(address);
    EXPECT_EQ(head.size(), DatagramHeadSize(address));
    for (size_t cut = 0; cut < head.size(); cut++) {
      const Bytes prefix(head.begin(), head.begin() + static_cast<ptrdiff_t>(cut));
      EXPECT_EQ(ParseDatagramHead(prefix).status().code(), Errc::kMalformed) << cut;
    }
    Bytes datagram = head;
    for (const char* data : {"", "data"}) {
      Append(datagram, AsBytes(data));
      auto parsed = ParseDatagramHead(datagram);
      ASSERT_TRUE(parsed.ok()) << parsed.status().message();
      EXPECT_EQ(parsed->address, address);
      EXPECT_EQ(parsed->size, head.size());
    }
  }
}

TEST(DatagramTest, RefusesWhatIsNoHead) {
  const Bytes good = Head(kV4);
  for (size_t at : {0u, 1u}) {  // RSV
    Bytes bad = good;
    bad[at] = 1;
    EXPECT_EQ(ParseDatagramHead(bad).status().code(), Errc::kMalformed);
  }
  for (int fragment : {1, 0x7f, 0x80, 0xff}) {
    Bytes bad = good;
    bad[2] = static_cast<uint8_t>(fragment);
    EXPECT_EQ(ParseDatagramHead(bad).status().code(), Errc::kUnsupported);
  }
  for (int type : {0, 2, 5, 0xff}) {
    Bytes bad = good;
    bad[3] = static_cast<uint8_t>(type);
    EXPECT_EQ(ParseDatagramHead(bad).status().code(), Errc::kMalformed);
  }
  EXPECT_FALSE(ParseDatagramHead(B({0, 0, 0, 3, 0, 0, 80})).ok());  // no name
  Bytes to;
  EXPECT_EQ(AppendDatagramHead(to, Address::Name(std::string(256, 'n'), 1)).code(),
            Errc::kNameTooLong);
}

TEST(DatagramTest, ClearLayersLeaveThemAsTheyAre) {
  auto layer = NewClearLayer();
  ASSERT_TRUE(layer->relays_datagrams());
  EXPECT_TRUE(layer->ordered());
  for (const Address& address : {kV4, kV6, kName}) {
    const size_t most = MaxDatagramData(*layer, address);
    EXPECT_EQ(most, 65507 - DatagramHeadSize(address));
    for (size_t size : {size_t{0}, size_t{1}, size_t{1472}, most}) {
      const Bytes data(size, 'x');
      Bytes datagram;
      ASSERT_TRUE(SealDatagram(*layer, address, data, &datagram).ok());
      EXPECT_EQ(datagram.size(), DatagramHeadSize(address) + size);
      auto opened = OpenDatagram(*layer, datagram);
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      EXPECT_EQ(opened->address, address);
      EXPECT_TRUE(std::ranges::equal(opened->data, data));
    }
    Bytes datagram;
    EXPECT_EQ(SealDatagram(*layer, address, Bytes(most + 1), &datagram).code(), Errc::kUnsupported);
    EXPECT_TRUE(datagram.empty());
  }
  Bytes datagram;
  EXPECT_EQ(layer->SealDatagram(Bytes(kMaxUdpPayload + 1), &datagram).code(), Errc::kUnsupported);
}

}  // namespace
}  // namespace socksify
