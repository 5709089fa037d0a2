// The other end of an established session as a test plays it: every record is made by hand, under
// the keys that our layer has exported.
#ifndef TESTS_UNIT_SSL_PEER_H_
#define TESTS_UNIT_SSL_PEER_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lib/security/ssl_base.h"
#include "lib/security/ssl_traffic.h"
#include "tests/unit/ssl_pair.h"

namespace socksify {

inline constexpr uint8_t kKeyUpdateRequested[] = {24, 0, 0, 1, 1};
inline constexpr uint8_t kKeyUpdate[] = {24, 0, 0, 1, 0};

class SslPeer {
 public:
  // Takes the place of `side`.
  explicit SslPeer(Side* side) {
    auto exported = side->layer->Export();
    EXPECT_TRUE(exported.ok()) << exported.status().message();
    Cursor in(*exported);
    in.Take(2);
    in.Take(in.U16());
    in.Take(in.U16());
    auto state = ReadTrafficState(&in);
    EXPECT_TRUE(state.ok()) << state.status().message();
    EXPECT_TRUE(read_.Set(state->suite, state->read).ok());
    EXPECT_TRUE(write_.Set(state->suite, state->write).ok());
  }

  // One frame of one record.
  Bytes Frame(uint8_t type, ByteView content, int state = 3) {
    Bytes record, frame;
    EXPECT_TRUE(write_.SealRecord(type, content, &record).ok());
    AppendFrames(static_cast<SslState>(state), record, &frame);
    return frame;
  }
  Bytes Data(std::string_view text) { return Frame(kRecordApplicationData, AsBytes(text)); }
  void UpdateWrite() { EXPECT_TRUE(write_.Update().ok()); }
  void UpdateRead() { EXPECT_TRUE(read_.Update().ok()); }

  // The record at the beginning of a stream of frames that hold whole records each.
  std::pair<uint8_t, std::string> Read(Bytes* frames) {
    const size_t length = size_t{(*frames)[7]} << 8 | (*frames)[8];
    uint8_t type = 0;
    auto plain = read_.OpenRecord(ByteSpan(*frames).subspan(4, 5 + length), &type);
    EXPECT_TRUE(plain.ok()) << plain.status().message();
    std::string text(plain.ok() ? AsText(*plain) : "");
    // What is left of the frame keeps its header.
    const size_t rest = (size_t{(*frames)[2]} << 8 | (*frames)[3]) - 5 - length;
    frames->erase(frames->begin() + (rest == 0 ? 0 : 4),
                  frames->begin() + static_cast<ptrdiff_t>(4 + 5 + length));
    if (rest != 0) {
      (*frames)[2] = static_cast<uint8_t>(rest >> 8);
      (*frames)[3] = static_cast<uint8_t>(rest);
    }
    return {type, text};
  }

 private:
  TrafficCipher read_, write_;
};

}  // namespace socksify

#endif  // TESTS_UNIT_SSL_PEER_H_
