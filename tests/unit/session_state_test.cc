#include "lib/io/session_state.h"

#include <gtest/gtest.h>

namespace socksify {
namespace {

SessionState Example() {
  return {.layer = Bytes(70000, 7),
          .plaintext = {1, 2, 3},
          .received = {},
          .unsent = Bytes(65535, 9),
          .sending_ended = true,
          .receiving_ended = true};
}

TEST(SessionStateTest, ComesBackAsItWas) {
  for (const SessionState& state : {Example(), SessionState{}}) {
    auto again = DecodeSessionState(EncodeSessionState(state));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->layer, state.layer);
    EXPECT_EQ(again->plaintext, state.plaintext);
    EXPECT_EQ(again->received, state.received);
    EXPECT_EQ(again->unsent, state.unsent);
    EXPECT_EQ(again->sending_ended, state.sending_ended);
    EXPECT_EQ(again->receiving_ended, state.receiving_ended);
  }
}

TEST(SessionStateTest, NeitherMoreNorLessThanAWholeState) {
  SessionState state = Example();
  state.layer.resize(300);
  state.unsent.resize(300);
  Bytes octets = EncodeSessionState(state);
  for (size_t size = 0; size < octets.size(); size++) {
    EXPECT_FALSE(DecodeSessionState(ByteView(octets).first(size)).ok()) << size;
  }
  octets.push_back(0);
  EXPECT_FALSE(DecodeSessionState(octets).ok());
}

TEST(SessionStateTest, OtherVersionsFlagsAndLengthsAreRefused) {
  const Bytes good = EncodeSessionState({});
  ASSERT_TRUE(DecodeSessionState(good).ok());
  for (size_t at = 0; at < good.size(); at++) {
    Bytes bad = good;
    bad[at] ^= 0xfc;
    EXPECT_EQ(DecodeSessionState(bad).status().code(), Errc::kMalformed) << at;
  }
}

}  // namespace
}  // namespace socksify
