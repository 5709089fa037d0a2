#include "lib/engine/codec.h"

#include <algorithm>
#include <utility>

#include "lib/wire/frame.h"

namespace socksify {
namespace {

class LayerCodec final : public Codec {
 public:
  explicit LayerCodec(std::unique_ptr<SecurityLayer> layer) : layer_(std::move(layer)) {}

  const Status& error() const override { return error_; }

  void Feed(ByteView octets) override {
    Bytes all = std::exchange(input_, {});
    Append(all, octets);
    Pieces opened;
    FeedInPlace(all, &opened);
    for (const ByteView piece : opened.views()) Append(plaintext_, piece);
  }

  ByteView unread() const override { return input_; }

  void FeedInPlace(ByteSpan octets, Pieces* plaintext) override {
    if (!error_.ok()) return;
    const size_t taken = OpenFrames(*layer_, octets, plaintext, &error_);
    KeepUnread(error_.ok() ? octets.subspan(taken) : ByteSpan(), &input_);
  }

  void FeedEof() override {
    if (error_.ok()) error_ = CheckEnd(*layer_, input_);
  }

  void Close() override {
    if (error_.ok()) error_ = layer_->Close(&output_);
  }
  bool peer_closed() const override { return layer_->peer_closed(); }

  Status SendPlaintext(ByteView octets) override { return Seal(octets, &output_); }

  SecurityLayer& layer() override { return *layer_; }
  size_t FrameShare(size_t octets) const override { return socksify::FrameShare(*layer_, octets); }
  Status Seal(ByteView octets, Bytes* frames) override {
    if (error_.ok()) error_ = SealFrames(*layer_, octets, frames);
    return error_;
  }

  Bytes& output() override { return output_; }
  Bytes& plaintext() override { return plaintext_; }

 private:
  const std::unique_ptr<SecurityLayer> layer_;
  Status error_;
  Bytes input_;  // the beginning of a frame
  Bytes output_;
  Bytes plaintext_;
};

}  // namespace

std::unique_ptr<Codec> NewCodec(std::unique_ptr<SecurityLayer> layer) {
  return std::make_unique<LayerCodec>(std::move(layer));
}

namespace {

struct Opened {
  size_t size;     // of the frame, 0 while it is not whole
  ByteSpan plain;  // in it, or in the layer
};

// The size of the frame that `input` starts with; 0 while it is not whole.
Result<size_t> WholeFrame(const SecurityLayer& layer, ByteView input) {
  auto size = layer.FrameSize(input);
  return size.ok() && *size > input.size() ? Result<size_t>(size_t{0}) : size;
}

Result<Opened> OpenFirst(SecurityLayer& layer, ByteSpan input) {
  size_t whole = input.size();
  if (layer.framed()) {
    auto size = WholeFrame(layer, input);
    if (!size.ok()) return size.status();
    if (*size == 0) return Opened{0, {}};
    whole = *size;
  }
  auto plain = layer.Open(input.first(whole));
  if (!plain.ok()) return plain.status();
  return Opened{whole, *plain};
}

// Both are opened next, where they are.
void ExpectTwo(SecurityLayer& layer, ByteSpan input) {
  if (!layer.framed()) return;
  const auto first = WholeFrame(layer, input);
  if (!first.ok() || *first == 0) return;
  const ByteSpan rest = input.subspan(*first);
  const auto next = WholeFrame(layer, rest);
  if (next.ok() && *next != 0) layer.Expect(input.first(*first), rest.first(*next));
}

}  // namespace

Result<size_t> OpenFrame(SecurityLayer& layer, ByteSpan input, Bytes* plaintext) {
  auto opened = OpenFirst(layer, input);
  if (!opened.ok()) return opened.status();
  Append(*plaintext, opened->plain);
  return opened->size;
}

Status CheckEnd(const SecurityLayer& layer, ByteView unread) {
  if (layer.peer_closed()) return {};
  if (layer.framed() && !unread.empty()) {
    return {Errc::kTruncated, "the peer closed inside a frame"};
  }
  if (layer.closes()) return {Errc::kTruncated, "the peer closed without saying so"};
  return {};
}

size_t OpenFrames(SecurityLayer& layer, ByteSpan input, Pieces* plaintext, Status* error) {
  size_t taken = 0;
  while (taken != input.size()) {
    const ByteSpan rest = input.subspan(taken);
    ExpectTwo(layer, rest);
    auto opened = OpenFirst(layer, rest);
    if (!opened.ok()) *error = opened.status();
    if (!opened.ok() || opened->size == 0) break;
    const uint8_t* const at = opened->plain.data();
    const bool in_place = at >= rest.data() && at < rest.data() + rest.size();
    in_place ? plaintext->Add(opened->plain) : plaintext->Keep(opened->plain);
    taken += opened->size;
  }
  return taken;
}

void KeepUnread(ByteView octets, Bytes* unread) {
  if (octets.empty()) {
    *unread = {};
  } else {
    unread->assign(octets.begin(), octets.end());
  }
}

size_t MostToSeal(const SecurityLayer& layer, size_t unframed) {
  return layer.framed() ? std::min(layer.MaxPlaintext(), kBulkPlaintext) : unframed;
}

// Frames of about the same size: a short one at the end of each read would cost as much as a long
// one.
size_t FrameShare(const SecurityLayer& layer, size_t octets) {
  const size_t most = MostToSeal(layer, octets);
  if (most == 0) return octets;  // which Seal refuses
  const size_t frames = (octets + most - 1) / most;
  return (octets + frames - 1) / frames;
}

// No token of empty plaintext: Jargyle takes it as the end.
Status SealFrames(SecurityLayer& layer, ByteView plain, Bytes* output) {
  if (plain.empty()) return {};
  const size_t share = std::max<size_t>(1, FrameShare(layer, plain.size()));
  const size_t frames = (plain.size() + share - 1) / share;
  if (frames > 1)
    output->reserve(output->size() + plain.size() + frames * layer.MinFrameSize() * 2);
  while (!plain.empty()) {
    const size_t count = std::min(share, plain.size());
    if (Status status = layer.Seal(plain.first(count), output); !status.ok()) return status;
    plain = plain.subspan(count);
  }
  return {};
}

}  // namespace socksify
