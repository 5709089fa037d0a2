#include "lib/config/hosts.h"

#include <gtest/gtest.h>

namespace socksify {
namespace {

constexpr char kHosts[] =
    "# comment\n"
    "127.0.0.1\tlocalhost\n"
    "127.0.1.1 Box.example.org box # alias\n"
    "  10.0.0.5   intranet intra#net\n"
    "::1 localhost ip6-localhost\r\n"
    "10.0.0.6 intranet\n"
    "10.0.0.6 other intranet\n"
    "nonsense broken\n"
    "10.0.0.9\n"
    "10.0.0.7 last";

TEST(HostsTest, FindsNamesOfEveryPlaceAndCase) {
  EXPECT_EQ(FindHost(kHosts, "box")->name, "Box.example.org");
  EXPECT_EQ(FindHost(kHosts, "BOX.Example.ORG.")->addresses[0].Host(), "127.0.1.1");
  EXPECT_EQ(FindHost(kHosts, "last")->addresses[0].Host(), "10.0.0.7");
  EXPECT_EQ(FindHost(kHosts, "intra")->name, "intranet");
  for (const char* name :
       {"", ".", "net", "alias", "comment", "broken", "bo", "boxx", "10.0.0.9"}) {
    EXPECT_FALSE(FindHost(kHosts, name)) << name;
  }
}

TEST(HostsTest, CollectsAddresses) {
  auto intranet = FindHost(kHosts, "intranet");
  ASSERT_EQ(intranet->addresses.size(), 2u);
  EXPECT_EQ(intranet->addresses[1].Host(), "10.0.0.6");
  auto localhost = FindHost(kHosts, "localhost");
  ASSERT_EQ(localhost->addresses.size(), 2u);
  EXPECT_EQ(localhost->addresses[1].Host(), "::1");
}

TEST(HostsTest, FindsTheNameOfAnAddress) {
  EXPECT_EQ(FindHostName(kHosts, Address::Ipv4({10, 0, 0, 6}, 80)), "intranet");
  EXPECT_EQ(FindHostName(kHosts, Address::Ipv4({127, 0, 1, 1}, 0)), "Box.example.org");
  EXPECT_FALSE(FindHostName(kHosts, Address::Ipv4({10, 0, 0, 9}, 0)));
}

}  // namespace
}  // namespace socksify
