#include "lib/io/socket_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace socksify {
namespace {

sockaddr_in In(const char* ip, uint16_t port) {
  sockaddr_in in = {};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, ip, &in.sin_addr), 1);
  return in;
}

sockaddr_in6 In6(const char* ip, uint16_t port) {
  sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
  return in6;
}

template <typename Sockaddr>
std::optional<Address> From(const Sockaddr& address, size_t length = sizeof(Sockaddr)) {
  return AddressFromSockaddr(reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(length));
}

TEST(SocketAddressTest, BothFamilies) {
  EXPECT_EQ(From(In("192.0.2.1", 80))->ToString(), "192.0.2.1:80");
  EXPECT_EQ(From(In6("2001:db8::1", 65535))->ToString(), "[2001:db8::1]:65535");
  EXPECT_EQ(From(In("0.0.0.0", 0))->ToString(), "0.0.0.0:0");
}

TEST(SocketAddressTest, MappedBecomesIpv4) {
  auto address = From(In6("::ffff:192.0.2.1", 80));
  EXPECT_EQ(address->type, AddressType::kIpv4);
  EXPECT_EQ(address->ToString(), "192.0.2.1:80");
}

TEST(SocketAddressTest, EveryLength) {
  const sockaddr_in in = In("192.0.2.1", 80);
  const sockaddr_in6 in6 = In6("2001:db8::1", 80);
  for (size_t length = 0; length <= sizeof(sockaddr_storage); length++) {
    std::vector<uint8_t> octets(length);  // of its own, for a sanitizer to see a read past its end
    if (length != 0) memcpy(octets.data(), &in, std::min(length, sizeof in));
    const auto* address = reinterpret_cast<const sockaddr*>(octets.data());
    const auto size = static_cast<socklen_t>(length);
    EXPECT_EQ(AddressFromSockaddr(address, size).has_value(), length >= sizeof in) << length;
    if (length != 0) memcpy(octets.data(), &in6, std::min(length, sizeof in6));
    // 24: without sin6_scope_id, as the kernel takes it, too.
    EXPECT_EQ(AddressFromSockaddr(address, size).has_value(), length >= 24) << length;
  }
  EXPECT_FALSE(AddressFromSockaddr(nullptr, 0).has_value());
  EXPECT_FALSE(AddressFromSockaddr(nullptr, 16).has_value());
}

TEST(SocketAddressTest, OtherFamiliesAreNone) {
  for (int family : {AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    sockaddr_storage storage = {};
    storage.ss_family = static_cast<sa_family_t>(family);
    EXPECT_FALSE(From(storage).has_value()) << family;
  }
}

TEST(SocketAddressTest, ThereAndBack) {
  const struct {
    Address address;
    int family;
    const char* text;  // null: it cannot be
  } kTable[] = {
      {Address::Ipv4({192, 0, 2, 1}, 80), AF_INET, "192.0.2.1"},
      {Address::Ipv4({192, 0, 2, 1}, 80), AF_INET6, "::ffff:192.0.2.1"},
      {Address::Ipv6({0x20, 0x01, 0x0d, 0xb8}, 80), AF_INET6, "2001:db8::"},
      {Address::Ipv6({0x20, 0x01, 0x0d, 0xb8}, 80), AF_INET, nullptr},
      {Address::Name("host", 80), AF_INET, nullptr},
      {Address::Name("host", 80), AF_INET6, nullptr},
      {Address::Ipv4({192, 0, 2, 1}, 80), AF_UNIX, nullptr},
  };
  for (const auto& row : kTable) {
    auto out = SockaddrFromAddress(row.address, row.family);
    ASSERT_EQ(out.has_value(), row.text != nullptr) << row.address.ToString();
    if (!out) continue;
    EXPECT_EQ(out->family(), row.family);
    EXPECT_EQ(out->length, row.family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const void* ip =
        row.family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(out->get())->sin_addr)
            : &reinterpret_cast<const sockaddr_in6*>(out->get())->sin6_addr;
    char text[INET6_ADDRSTRLEN];
    EXPECT_STREQ(inet_ntop(row.family, ip, text, sizeof text), row.text);
    EXPECT_EQ(AddressFromSockaddr(out->get(), out->length), row.address);
  }
  EXPECT_EQ(SocketAddress().family(), AF_UNSPEC);
}

TEST(SocketAddressTest, ResolvesNumericAndLocalNames) {
  auto four = ResolveServer({"127.0.0.1", 1080});
  ASSERT_TRUE(four.ok()) << four.status().message();
  ASSERT_EQ(four->size(), 1u);
  EXPECT_EQ(four->front().ToString(), "127.0.0.1:1080");
  auto six = ResolveServer({"::1", 1080});
  ASSERT_TRUE(six.ok()) << six.status().message();
  EXPECT_EQ(six->front().ToString(), "[::1]:1080");
  auto local = ResolveServer({"localhost", 65535});
  ASSERT_TRUE(local.ok()) << local.status().message();
  for (const Address& address : *local) EXPECT_EQ(address.port, 65535);
}

TEST(SocketAddressTest, AnUnknownNameSaysWhich) {
  auto nobody = ResolveServer({"nosuch.invalid.", 1080});
  EXPECT_EQ(nobody.status().code(), Errc::kNetwork);
  EXPECT_NE(nobody.status().message().find("nosuch.invalid"), std::string::npos);
}

}  // namespace
}  // namespace socksify
