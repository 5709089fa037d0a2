#include "lib/wire/address.h"

#include <gtest/gtest.h>

#include "tests/unit/cut.h"

namespace socksify {
namespace {

std::array<uint8_t, 16> V6(std::initializer_list<int> groups) {  // eight of 16 bits
  std::array<uint8_t, 16> ip = {};
  size_t at = 0;
  for (int group : groups) {
    ip[at++] = static_cast<uint8_t>(group >> 8);
    ip[at++] = static_cast<uint8_t>(group);
  }
  return ip;
}

Result<Address> Read(const Bytes& octets, size_t* left = nullptr) {
  Cursor cursor(octets);
  Result<Address> address = ReadAddress(cursor);
  EXPECT_TRUE(!address.ok() || cursor.ok());
  if (left != nullptr) *left = cursor.remaining();
  return address;
}

TEST(AddressTest, Ipv4RoundTrip) {
  Bytes octets;
  ASSERT_TRUE(AppendAddress(octets, Address::Ipv4({192, 0, 2, 1}, 0x1234)).ok());
  EXPECT_EQ(Hex(octets), "01c00002011234");
  Result<Address> read = Read(octets);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, Address::Ipv4({192, 0, 2, 1}, 0x1234));
  EXPECT_EQ(read->ToString(), "192.0.2.1:4660");
}

TEST(AddressTest, Ipv6RoundTrip) {
  const Address address = Address::Ipv6(V6({0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}), 80);
  Bytes octets;
  ASSERT_TRUE(AppendAddress(octets, address).ok());
  EXPECT_EQ(Hex(octets), "0420010db80000000000000000000000010050");
  Result<Address> read = Read(octets);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, address);
  EXPECT_EQ(read->ToString(), "[2001:db8::1]:80");
}

TEST(AddressTest, NameRoundTripAtEveryLength) {
  for (size_t length = 1; length <= kMaxNameLength; length++) {
    const Address address = Address::Name(std::string(length, 'n'), 443);
    Bytes octets;
    ASSERT_TRUE(AppendAddress(octets, address).ok());
    ASSERT_EQ(octets.size(), 1 + 1 + length + 2);
    Result<Address> read = Read(octets);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, address);
  }
}

TEST(AddressTest, NamesThatCannotBeSent) {
  Bytes octets;
  EXPECT_EQ(AppendAddress(octets, Address::Name("", 1)).code(), Errc::kMalformed);
  EXPECT_EQ(AppendAddress(octets, Address::Name(std::string(256, 'n'), 1)).code(),
            Errc::kNameTooLong);
  EXPECT_EQ(AppendAddress(octets, Address::Name(std::string("a\0b", 3), 1)).code(),
            Errc::kMalformed);
  EXPECT_TRUE(octets.empty());  // and nothing is written
}

TEST(AddressTest, V4MappedBecomesIpv4) {
  const Address mapped = Address::Ipv6(V6({0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201}), 80);
  EXPECT_EQ(mapped, Address::Ipv4({192, 0, 2, 1}, 80));
  // Not mapped: ::192.0.2.1 and one bit off the prefix.
  EXPECT_EQ(Address::Ipv6(V6({0, 0, 0, 0, 0, 0, 0xc000, 0x0201}), 80).type, AddressType::kIpv6);
  EXPECT_EQ(Address::Ipv6(V6({0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x0201}), 80).type,
            AddressType::kIpv6);
  // On the wire too: else a rule against 192.0.2.1 could be walked around.
  Result<Address> read =
      Read(B({4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1, 0, 80}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, Address::Ipv4({192, 0, 2, 1}, 80));
}

TEST(AddressTest, EveryUnknownTypeIsMalformed) {
  for (int type = 0; type < 256; type++) {
    Bytes octets(300, 1);
    octets[0] = static_cast<uint8_t>(type);
    const bool known = type == 1 || type == 3 || type == 4;
    Cursor cursor(octets);
    Result<Address> read = ReadAddress(cursor);
    EXPECT_EQ(read.ok(), known) << type;
    EXPECT_EQ(read.status().code(), known ? Errc::kOk : Errc::kMalformed);
    EXPECT_EQ(AddressSize(octets).ok(), known) << type;
  }
}

TEST(AddressTest, HostileNames) {
  EXPECT_EQ(Read(B({3, 0, 0, 80})).status().code(), Errc::kMalformed);
  EXPECT_EQ(Read(B({3, 3, 'a', 0, 'b', 0, 80})).status().code(), Errc::kMalformed);
  EXPECT_EQ(Read(B({3, 1, 0, 0, 80})).status().code(), Errc::kMalformed);
}

TEST(AddressTest, CutAtEveryOctet) {
  const Bytes messages[] = {B({1, 192, 0, 2, 1, 0, 80}),
                            B({4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 80}),
                            B({3, 4, 'h', 'o', 's', 't', 0, 80})};
  for (const Bytes& message : messages) {
    for (size_t cut = 0; cut < message.size(); cut++) {
      const Bytes prefix(message.begin(), message.begin() + static_cast<ptrdiff_t>(cut));
      Cursor cursor(prefix);
      (void)ReadAddress(cursor);
      EXPECT_FALSE(cursor.ok());
      Result<size_t> size = AddressSize(prefix);
      ASSERT_TRUE(size.ok());
      const size_t needed_to_know = message[0] == 3 ? 2 : 1;
      EXPECT_EQ(*size, cut < needed_to_know ? 0 : message.size());
    }
    size_t left = 0;
    Bytes longer = message;
    longer.push_back(0xee);
    EXPECT_TRUE(Read(longer, &left).ok());
    EXPECT_EQ(left, 1u);
  }
}

// RFC 5952 section 4.
TEST(AddressTest, Ipv6TextIsCanonical) {
  auto text = [](std::initializer_list<int> groups) { return Address::Ipv6(V6(groups), 0).Host(); };
  EXPECT_EQ(text({0, 0, 0, 0, 0, 0, 0, 0}), "::");
  EXPECT_EQ(text({0, 0, 0, 0, 0, 0, 0, 1}), "::1");
  EXPECT_EQ(text({1, 0, 0, 0, 0, 0, 0, 0}), "1::");
  EXPECT_EQ(text({0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}), "2001:db8:0:1:1:1:1:1");  // one group: no "::"
  EXPECT_EQ(text({0x2001, 0, 0, 1, 0, 0, 0, 1}), "2001:0:0:1::1");             // the longest run
  EXPECT_EQ(text({0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}), "2001:db8::1:0:0:1");  // the first of equals
  EXPECT_EQ(text({0xABCD, 0x0EF0, 1, 2, 3, 4, 0, 0}), "abcd:ef0:1:2:3:4::");
  EXPECT_EQ(text({1, 2, 3, 4, 5, 6, 7, 8}), "1:2:3:4:5:6:7:8");
}

TEST(AddressTest, Unspecified) {
  EXPECT_TRUE(Address::Ipv4({0, 0, 0, 0}, 99).IsUnspecified());
  EXPECT_TRUE(Address::Ipv6({}, 99).IsUnspecified());
  EXPECT_FALSE(Address::Ipv4({0, 0, 0, 1}, 0).IsUnspecified());
  EXPECT_FALSE(Address::Ipv6(V6({0, 0, 0, 0, 0, 0, 0, 1}), 0).IsUnspecified());
  EXPECT_FALSE(Address::Name("x", 0).IsUnspecified());
}

}  // namespace
}  // namespace socksify
