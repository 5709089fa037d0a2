// The methods without frames: none, and username and password (RFC 1929).
#include "lib/security/clear_layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace socksify {
namespace {

Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

// One call of Negotiate.
struct Turn {
  Result<bool> done;
  size_t consumed = 0;
  Bytes output;

  Turn(SecurityLayer& layer, ByteView input) : done(false) {
    done = layer.Negotiate(input, &consumed, &output);
  }
};

void ExpectGoesAsItIs(SecurityLayer& layer) {
  EXPECT_FALSE(layer.framed());
  EXPECT_EQ(layer.MinFrameSize(), 1u);
  EXPECT_GT(layer.MaxPlaintext(), 0u);
  Bytes wire = Text("a");
  ASSERT_TRUE(layer.Seal(Text("bc"), &wire).ok());
  EXPECT_EQ(AsText(wire), "abc");
  EXPECT_EQ(*layer.FrameSize(wire), 3u);
  auto plain = layer.Open(wire);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(AsText(*plain), "abc");
  EXPECT_EQ(layer.Export().status().code(), Errc::kUnsupported);
}

TEST(ClearLayerTest, NoneNegotiatesNothing) {
  auto layer = NewClearLayer();
  EXPECT_TRUE(layer->Prepare().ok());
  const Bytes behind = Text("request");
  Turn turn(*layer, behind);
  ASSERT_TRUE(turn.done.ok());
  EXPECT_TRUE(*turn.done);
  EXPECT_EQ(turn.consumed, 0u);
  EXPECT_TRUE(turn.output.empty());
  EXPECT_EQ(layer->Summary().level, ProtectionLevel::kNone);
  ExpectGoesAsItIs(*layer);
}

TEST(ClearLayerTest, UserpassInitiatorSpeaksFirst) {
  auto layer = NewUserpassInitiator("alice", Secret("wonderland"));
  Turn first(*layer, {});
  ASSERT_TRUE(first.done.ok());
  EXPECT_FALSE(*first.done);
  EXPECT_EQ(AsText(first.output),
            "\x01\x05"
            "alice"
            "\x0a"
            "wonderland");
  EXPECT_EQ(layer->WantedOctets(), 2u);
  Turn half(*layer, Bytes{0x01});
  EXPECT_FALSE(*half.done);
  EXPECT_TRUE(half.output.empty());  // said once
  EXPECT_EQ(layer->WantedOctets(), 1u);
  Turn whole(*layer, Bytes{0x01, 0x00, 'x'});
  ASSERT_TRUE(whole.done.ok());
  EXPECT_TRUE(*whole.done);
  EXPECT_EQ(whole.consumed, 2u);
  EXPECT_EQ(layer->Summary().client_principal, "alice");
  ExpectGoesAsItIs(*layer);
}

TEST(ClearLayerTest, UserpassInitiatorHearsARefusal) {
  for (int status = 1; status < 256; status++) {
    auto layer = NewUserpassInitiator("alice", Secret("wonderland"));
    Turn turn(*layer, Bytes{0x01, static_cast<uint8_t>(status)});
    EXPECT_EQ(turn.done.status().code(), Errc::kAuthentication);
    EXPECT_EQ(turn.done.status().message().find("wonderland"), std::string::npos);
  }
  auto layer = NewUserpassInitiator("alice", Secret("wonderland"));
  EXPECT_EQ(Turn(*layer, Bytes{0x05, 0x00}).done.status().code(), Errc::kMalformed);
}

TEST(ClearLayerTest, UserpassInitiatorRefusesWhatTheMessageCannotHold) {
  const std::string kTooLong(256, 'x');
  EXPECT_FALSE(Turn(*NewUserpassInitiator("", Secret("p")), {}).done.ok());
  EXPECT_FALSE(Turn(*NewUserpassInitiator("u", Secret("")), {}).done.ok());
  EXPECT_FALSE(Turn(*NewUserpassInitiator(kTooLong, Secret("p")), {}).done.ok());
  EXPECT_FALSE(Turn(*NewUserpassInitiator("u", Secret(kTooLong)), {}).done.ok());
}

class UserpassAcceptorTest : public ::testing::Test {
 protected:
  const UserDatabase users_{{{"alice", {Secret("wonderland")}}, {"bob", {Secret("b")}}}};
};

TEST_F(UserpassAcceptorTest, CutAtEveryOctet) {
  const Bytes request = Text(
      "\x01\x05"
      "alice"
      "\x0a"
      "wonderland");
  auto layer = NewUserpassAcceptor(users_);
  for (size_t cut = 0; cut < request.size(); cut++) {
    Turn turn(*layer, ByteView(request).first(cut));
    ASSERT_TRUE(turn.done.ok());
    EXPECT_FALSE(*turn.done);
    EXPECT_EQ(turn.consumed, 0u);
    EXPECT_GE(layer->WantedOctets(), 1u);
    EXPECT_LE(cut + layer->WantedOctets(), request.size());
  }
  Turn turn(*layer, request);
  ASSERT_TRUE(turn.done.ok());
  EXPECT_TRUE(*turn.done);
  EXPECT_EQ(turn.consumed, request.size());
  EXPECT_EQ(Hex(turn.output), "0100");
  EXPECT_EQ(layer->Summary().client_principal, "alice");
  ExpectGoesAsItIs(*layer);
}

TEST_F(UserpassAcceptorTest, WrongOnes) {
  for (const char* request : {"\x01\x05"
                              "alice"
                              "\x0a"
                              "wonderlanD",
                              "\x01\x05"
                              "alice"
                              "\x01"
                              "w",
                              "\x01\x05"
                              "alice"
                              "\x0b"
                              "wonderlandw",
                              "\x01\x05"
                              "Alice"
                              "\x0a"
                              "wonderland",
                              "\x01\x05"
                              "carol"
                              "\x01"
                              "b",
                              "\x01\x03"
                              "bob"
                              "\x02"
                              "bb"}) {
    auto layer = NewUserpassAcceptor(users_);
    Turn turn(*layer, AsBytes(request));
    EXPECT_EQ(turn.done.status().code(), Errc::kAuthentication) << request;
    EXPECT_EQ(Hex(turn.output), "0101");
    EXPECT_EQ(turn.done.status().message().find("wonder"), std::string::npos);
  }
}

TEST_F(UserpassAcceptorTest, Malformed) {
  for (const Bytes& request : {Bytes{0x05}, Bytes{0x01, 0x00}, Bytes{0x01, 0x01, 'u', 0x00}}) {
    auto layer = NewUserpassAcceptor(users_);
    EXPECT_EQ(Turn(*layer, request).done.status().code(), Errc::kMalformed);
  }
}

}  // namespace
}  // namespace socksify
