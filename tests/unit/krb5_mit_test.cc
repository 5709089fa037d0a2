// Kerberos messages that are made and opened without the library, with the library as the other
// end: each enctype, role and level, messages of all sizes at random, SOCKSIFY_TEST_MESSAGES in
// all.
#include <gtest/gtest.h>
#include <krb5/krb5.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/unit/gss_pair.h"
#include "tests/unit/gss_peer.h"
#include "tests/unit/krb5_octets.h"
#include "tests/unit/temporary_file.h"

namespace socksify {
namespace {

using Level = ProtectionLevel;

constexpr size_t kTokenHeader = 16;
constexpr uint8_t kFormContext = 1, kFormKrb5Session = 3;  // of an exported session

struct Enctype {
  const char* name;
  const char* configured;
  bool fast;
};
constexpr Enctype kEnctypes[] = {
    {"aes128-cts-hmac-sha1-96", "aes128-cts", true},
    {"aes256-cts-hmac-sha1-96", "aes256-cts", true},
    {"aes128-cts-hmac-sha256-128", "aes128-sha2", true},
    {"aes256-cts-hmac-sha384-192", "aes256-sha2", true},
    {"camellia256-cts-cmac", "camellia256-cts", false},
};

// While it lives, sessions get keys of this enctype alone: the realm has keys of all. Alice has a
// ticket of her own for it.
class OnlyEnctype {
 public:
  explicit OnlyEnctype(const std::string& enctype)
      : config_("KRB5_CONFIG",
                directory_.Write("krb5.conf", "[libdefaults]\ndefault_tgs_enctypes = " + enctype +
                                                  "\ndefault_tkt_enctypes = " + enctype + "\n") +
                    ":" + getenv("KRB5_CONFIG")),
        cache_("KRB5CCNAME", "FILE:" + directory_.path() + "/ccache") {
    krb5_context context = nullptr;
    krb5_principal alice = nullptr;
    krb5_ccache cache = nullptr;
    krb5_creds ticket = {};
    EXPECT_EQ(krb5_init_context(&context), 0);
    EXPECT_EQ(krb5_parse_name(context, "alice", &alice), 0);
    EXPECT_EQ(krb5_get_init_creds_password(context, &ticket, alice, "wonderland", nullptr, nullptr,
                                           0, nullptr, nullptr),
              0);
    EXPECT_EQ(krb5_cc_default(context, &cache), 0);
    EXPECT_EQ(krb5_cc_initialize(context, cache, alice), 0);
    EXPECT_EQ(krb5_cc_store_cred(context, cache, &ticket), 0);
    krb5_free_cred_contents(context, &ticket);
    krb5_cc_close(context, cache);
    krb5_free_principal(context, alice);
    krb5_free_context(context);
  }

 private:
  TemporaryDirectory directory_;
  ScopedVariable config_, cache_;
};

// One of our layers, and the library as its peer; established.
struct Mixed {
  Side ours;
  GssPeer peer;

  Mixed(Level level, bool we_initiate) {
    const auto octet = static_cast<uint8_t>(level);
    if (we_initiate) {
      ours.layer = NewGssInitiator({.server_host = kRealmHost, .level = level});
      const Bytes request = ours.Go();
      const Bytes asked = ours.Take(Message(1, peer.Accept(TokenOf(request))));
      EXPECT_EQ(peer.Unwrap(TokenOf(asked)).plain, Bytes{octet});
      ours.Take(Message(2, peer.Wrap({octet}, false)));
    } else {
      ours.layer = NewGssAcceptor({.levels = {level}});
      const Bytes answer = ours.Take(Message(1, peer.Initiate({})));
      peer.Initiate(TokenOf(answer));
      const Bytes agreed = ours.Take(Message(2, peer.Wrap({octet}, false)));
      EXPECT_EQ(peer.Unwrap(TokenOf(agreed)).plain, Bytes{octet});
    }
    EXPECT_TRUE(ours.established) << ours.error.message();
  }

  uint8_t Form() {
    auto state = ours.layer->Export();
    EXPECT_TRUE(state.ok()) << state.status().message();
    return state.ok() ? (*state)[0] : 0;
  }
};

// Turns what follows the header of a token right, as RFC 4121 section 4.2.5 has it.
Bytes Rotated(Bytes token, size_t by) {
  token[6] = static_cast<uint8_t>(by >> 8);
  token[7] = static_cast<uint8_t>(by);
  const size_t size = token.size() - kTokenHeader;
  std::rotate(token.begin() + kTokenHeader, token.end() - static_cast<ptrdiff_t>(by % size),
              token.end());
  return token;
}

class Krb5MitTest : public RealmTest,
                    public ::testing::WithParamInterface<std::tuple<Enctype, Level, bool>> {
 protected:
  static size_t Messages() {
    constexpr size_t kCombinations = 20;
    const char* all = getenv("SOCKSIFY_TEST_MESSAGES");
    return (all != nullptr ? strtoull(all, nullptr, 10) : 4000) / kCombinations;
  }
};

TEST_P(Krb5MitTest, MessagesOfAllSizesBothWays) {
  const auto& [enctype, level, we_initiate] = GetParam();
  const OnlyEnctype only(enctype.configured);
  Mixed pair(level, we_initiate);
  EXPECT_NE(pair.ours.layer->Summary().mechanism.find(enctype.name), std::string::npos)
      << pair.ours.layer->Summary().mechanism;
  SecurityLayer& layer = *pair.ours.layer;
  Dice dice(std::hash<std::string>()(enctype.name) + static_cast<size_t>(level));
  const Bytes noise = dice.Octets(layer.MaxPlaintext());
  for (size_t i = 0; i < Messages(); i++) {
    const ByteView plain = ByteView(noise).last(std::max<size_t>(1, dice.Size(noise.size())));
    // One in eight is turned, as a peer may; by any number, the length of the token or more too.
    const size_t turn = dice.UpTo(7) == 0 ? dice.UpTo(plain.size() + 100) % 65536 : 0;
    if (dice.Coin()) {
      Bytes frame = Sealed(layer, plain);
      const ByteView token = TokenOf(frame);
      const auto got = pair.peer.Unwrap(Rotated(Bytes(token.begin(), token.end()), turn));
      ASSERT_TRUE(got.good) << i;
      ASSERT_EQ(got.confidential, level == Level::kConfidentiality);
      ASSERT_TRUE(std::ranges::equal(got.plain, plain)) << i;
    } else {
      const bool confidential = level == Level::kConfidentiality || dice.UpTo(3) == 0;
      Bytes frame = Message(3, Rotated(pair.peer.Wrap(plain, confidential), turn));
      auto got = layer.Open(frame);
      ASSERT_TRUE(got.ok()) << i << ": " << got.status().message();
      ASSERT_TRUE(std::ranges::equal(*got, plain)) << i;
    }
    if (dice.UpTo(3) != 0) continue;  // two at a time, of any sizes
    const ByteView other = ByteView(noise).first(std::max<size_t>(1, dice.Size(noise.size())));
    Bytes frames[] = {Message(3, pair.peer.Wrap(plain, level == Level::kConfidentiality)),
                      Message(3, pair.peer.Wrap(other, true))};
    layer.Expect(frames[0], frames[1]);
    for (size_t k : {0, 1}) {
      auto got = layer.Open(frames[k]);
      ASSERT_TRUE(got.ok()) << i << ": " << got.status().message();
      ASSERT_TRUE(std::ranges::equal(*got, k == 0 ? plain : other)) << i;
    }
  }
  EXPECT_EQ(pair.Form(), enctype.fast ? kFormKrb5Session : kFormContext);
}

INSTANTIATE_TEST_SUITE_P(All, Krb5MitTest,
                         ::testing::Combine(::testing::ValuesIn(kEnctypes),
                                            ::testing::Values(Level::kIntegrity,
                                                              Level::kConfidentiality),
                                            ::testing::Bool()));

class Krb5SessionTest : public RealmTest {
 protected:
  static uint8_t FormOf(Side& side) {
    auto state = side.layer->Export();
    EXPECT_TRUE(state.ok()) << state.status().message();
    return state.ok() ? (*state)[0] : 0;
  }
};

// Nobody notices who of the two makes messages without the library, nor through SPNEGO.
TEST_F(Krb5SessionTest, WhoeverUsesTheLibrary) {
  using Mechanism = GssInitiatorOptions::Mechanism;
  for (Mechanism mechanism : {Mechanism::kKerberos, Mechanism::kSpnego}) {
    for (int choice = 0; choice < 4; choice++) {
      const bool client = (choice & 1) != 0, server = (choice & 2) != 0;
      GssPair pair({.mechanism = mechanism, .fast_path = client}, {.fast_path = server});
      ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
      SecurityLayer* from = pair.client.layer.get();
      SecurityLayer* to = pair.server.layer.get();
      EXPECT_EQ(from->MaxPlaintext(), to->MaxPlaintext());
      EXPECT_EQ(from->MinFrameSize(), to->MinFrameSize());
      EXPECT_EQ(from->FrameOverhead(), to->FrameOverhead());
      EXPECT_EQ(from->MaxDatagram(), to->MaxDatagram());
      for (int i = 0; i < 6; i++, std::swap(from, to)) {
        Bytes frame = Sealed(*from, Text("hello"));
        auto plain = to->Open(frame);
        ASSERT_TRUE(plain.ok()) << plain.status().message();
        EXPECT_EQ(AsText(*plain), "hello");
      }
      EXPECT_EQ(FormOf(pair.client), client ? kFormKrb5Session : kFormContext);
      EXPECT_EQ(FormOf(pair.server), server ? kFormKrb5Session : kFormContext);
    }
  }
}

// Frames and datagrams, each sealed and opened by a thread of its own, in one space of numbers.
TEST_F(Krb5SessionTest, FourThreadsAtOnce) {
  constexpr int kEach = 400;  // fewer than may be reordered
  GssPair pair({.ordered = false});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  SecurityLayer& client = *pair.client.layer;
  std::vector<Bytes> frames(kEach), datagrams(kEach);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (Bytes& frame : frames) EXPECT_TRUE(client.Seal(Text("frame"), &frame).ok());
  });
  threads.emplace_back([&] {
    for (Bytes& datagram : datagrams) {
      EXPECT_TRUE(client.SealDatagram(Text("datagram"), &datagram).ok());
    }
  });
  for (std::thread& thread : threads) thread.join();
  threads.clear();

  SecurityLayer& server = *pair.server.layer;
  threads.emplace_back([&] {
    for (Bytes& frame : frames) {
      auto plain = server.Open(frame);
      EXPECT_TRUE(plain.ok() && AsText(*plain) == "frame");
    }
  });
  threads.emplace_back([&] {
    for (const Bytes& datagram : datagrams) {
      Bytes once = datagram, twice = datagram;
      auto plain = server.OpenDatagram(once);
      EXPECT_TRUE(plain.ok() && AsText(*plain) == "datagram");
      EXPECT_FALSE(server.OpenDatagram(twice).ok());
    }
  });
  threads.emplace_back([&] {
    for (int i = 0; i < kEach; i++) Sealed(server, Text("the other way"));
  });
  for (std::thread& thread : threads) thread.join();
}

// The level in clear says nothing of the number of what comes next.
TEST_F(Krb5SessionTest, NecStaysWithTheLibrary) {
  GssPair pair({.nec = true}, {.nec = true});
  ASSERT_TRUE(pair.Negotiate()) << pair.Errors();
  EXPECT_EQ(FormOf(pair.client), kFormContext);
  EXPECT_EQ(FormOf(pair.server), kFormContext);
}

// Without mutual authentication the acceptor chooses no key: the initiator's protects the messages.
TEST_F(Krb5SessionTest, TheInitiatorsKey) {
  GssPeer client;
  Side server{.layer = NewGssAcceptor({}), .input = {}, .error = {}};
  server.Take(Message(1, client.Initiate({}, GssPeer::kAllFlags & ~GSS_C_MUTUAL_FLAG)));
  const Bytes agreed = server.Take(Message(2, client.Wrap({2}, false)));
  ASSERT_TRUE(server.established) << server.error.message();
  EXPECT_EQ(client.Unwrap(TokenOf(agreed)).plain, Bytes{2});
  Bytes frame = Message(3, client.Wrap(Text("up"), true));
  EXPECT_EQ(frame[kFrameHeaderSize + 2] & 4, 0);
  auto plain = server.layer->Open(frame);
  ASSERT_TRUE(plain.ok()) << plain.status().message();
  EXPECT_EQ(AsText(*plain), "up");
  EXPECT_EQ(client.Unwrap(TokenOf(Sealed(*server.layer, Text("down")))).plain, Text("down"));
  EXPECT_EQ(FormOf(server), kFormKrb5Session);
}

}  // namespace
}  // namespace socksify
