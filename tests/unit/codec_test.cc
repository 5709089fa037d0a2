// The data phase on a layer that frames without cryptography, cut at every octet.
#include "lib/engine/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "lib/security/clear_layer.h"
#include "tests/unit/fake_layer.h"

namespace socksify {
namespace {

Bytes Text(std::string_view text) { return Bytes(text.begin(), text.end()); }

std::unique_ptr<Codec> NewFake() { return NewCodec(std::make_unique<FramedFakeLayer>()); }

Bytes FramesOf(Codec& codec, ByteView plain) {
  EXPECT_TRUE(codec.SendPlaintext(plain).ok());
  return std::exchange(codec.output(), {});
}

TEST(CodecTest, WholeFramesComeOutWhereverTheyAreCut) {
  auto sender = NewFake();
  Bytes wire = FramesOf(*sender, Text("one"));
  Append(wire, FramesOf(*sender, Text("two")));
  for (size_t cut = 0; cut <= wire.size(); cut++) {
    auto codec = NewFake();
    codec->Feed(ByteView(wire).first(cut));
    codec->Feed(ByteView(wire).subspan(cut));
    EXPECT_EQ(codec->plaintext(), Text("onetwo")) << cut;
    codec->FeedEof();
    EXPECT_TRUE(codec->error().ok());
  }
}

TEST(CodecTest, InPlaceTheSameComesOut) {
  auto sender = NewFake();
  Bytes wire = FramesOf(*sender, Text("one"));
  Append(wire, FramesOf(*sender, Text("two")));
  for (size_t cut = 0; cut <= wire.size(); cut++) {
    auto codec = NewFake();
    Bytes all;
    size_t pieces = 0;
    for (ByteView part : {ByteView(wire).first(cut), ByteView(wire).subspan(cut)}) {
      Bytes octets(codec->unread().begin(), codec->unread().end());
      Append(octets, part);
      Pieces opened;
      codec->FeedInPlace(octets, &opened);
      for (ByteView piece : opened.views()) {
        Append(all, piece);
        pieces++;
        EXPECT_GE(piece.data(), octets.data());  // nothing is copied
        EXPECT_LE(piece.data() + piece.size(), octets.data() + octets.size());
      }
    }
    EXPECT_EQ(all, Text("onetwo")) << cut;
    EXPECT_EQ(pieces, 2);
    EXPECT_TRUE(codec->unread().empty());
    codec->FeedEof();
    EXPECT_TRUE(codec->error().ok());
  }
}

TEST(CodecTest, AnErrorInPlaceIsStickyAndKeepsWhatCameBefore) {
  auto sender = NewFake();
  Bytes wire = FramesOf(*sender, Text("good"));
  Append(wire, Bytes{0x01, 0x03, 0x00, 0x02, 0x77, 0x77});
  auto codec = NewFake();
  Pieces opened;
  codec->FeedInPlace(wire, &opened);
  EXPECT_EQ(codec->error().code(), Errc::kIntegrity);
  EXPECT_EQ(opened.size(), 4);
  Bytes more = FramesOf(*sender, Text("more"));
  codec->FeedInPlace(more, &opened);
  EXPECT_EQ(opened.size(), 4);
}

TEST(CodecTest, AnEndInsideAFrameIsAnError) {
  const Bytes wire = FramesOf(*NewFake(), Text("one"));
  for (size_t size = 1; size < wire.size(); size++) {
    auto codec = NewFake();
    codec->Feed(ByteView(wire).first(size));
    codec->FeedEof();
    EXPECT_EQ(codec->error().code(), Errc::kTruncated) << size;
  }
}

TEST(CodecTest, SealsInFramesOfAboutTheSameSizeAndNothingForNothing) {
  auto codec = NewFake();
  EXPECT_TRUE(FramesOf(*codec, {}).empty());
  const Bytes plain(FramedFakeLayer::kMaxPlain + 1, 7);
  const Bytes wire = FramesOf(*codec, plain);
  EXPECT_EQ(wire.size(), plain.size() + 2 * (kFrameHeaderSize + 1));
  auto other = NewFake();
  other->Feed(wire);
  EXPECT_EQ(other->plaintext(), plain);
}

// What came before the bad frame has been opened in order, and is still there to be delivered.
TEST(CodecTest, AnErrorIsStickyAndKeepsWhatCameBefore) {
  auto sender = NewFake();
  Bytes wire = FramesOf(*sender, Text("good"));
  Append(wire, Bytes{0x01, 0x03, 0x00, 0x02, 0x77, 0x77});
  Append(wire, FramesOf(*sender, Text("more")));
  auto codec = NewFake();
  codec->Feed(wire);
  EXPECT_EQ(codec->error().code(), Errc::kIntegrity);
  codec->Feed(FramesOf(*sender, Text("more")));
  EXPECT_EQ(codec->plaintext(), Text("good"));
  EXPECT_EQ(codec->SendPlaintext(Text("x")).code(), Errc::kIntegrity);
  EXPECT_TRUE(codec->output().empty());
}

TEST(CodecTest, WithoutFramesOctetsGoAsTheyAre) {
  auto codec = NewCodec(NewClearLayer());
  EXPECT_EQ(FramesOf(*codec, Text("up")), Text("up"));
  codec->Feed(Text("do"));
  codec->Feed(Text("wn"));
  EXPECT_EQ(codec->plaintext(), Text("down"));
  codec->FeedEof();
  EXPECT_TRUE(codec->error().ok());
}

}  // namespace
}  // namespace socksify
