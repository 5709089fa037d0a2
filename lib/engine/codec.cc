#include "lib/engine/codec.h"

#include <algorithm>
#include <utility>

namespace socksify {
namespace {

class LayerCodec final : public Codec {
 public:
  explicit LayerCodec(std::unique_ptr<SecurityLayer> layer) : layer_(std::move(layer)) {}

  const Status& error() const override { return error_; }

  void Feed(ByteView octets) override {
    if (!error_.ok()) return;
    Append(input_, octets);
    size_t taken = 0;
    while (error_.ok()) {
      auto size = OpenFrame(*layer_, ByteSpan(input_).subspan(taken), &plaintext_);
      if (!size.ok()) error_ = size.status();
      if (!size.ok() || *size == 0) break;
      taken += *size;
    }
    if (!error_.ok() || taken == input_.size()) {
      input_ = {};  // an idle session keeps no buffer
    } else {
      input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(taken));
    }
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

Result<size_t> OpenFrame(SecurityLayer& layer, ByteSpan input, Bytes* plaintext) {
  size_t whole = input.size();
  if (layer.framed()) {
    auto size = layer.FrameSize(input);
    if (!size.ok()) return size.status();
    if (*size == 0 || *size > input.size()) return size_t{0};
    whole = *size;
  }
  auto plain = layer.Open(input.first(whole));
  if (!plain.ok()) return plain.status();
  Append(*plaintext, *plain);
  return whole;
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
  if (!layer.framed()) return plaintext->Add(input), input.size();
  size_t taken = 0;
  while (taken != input.size()) {
    const ByteSpan rest = input.subspan(taken);
    auto size = layer.FrameSize(rest);
    if (!size.ok()) *error = size.status();
    if (!size.ok() || *size == 0 || *size > rest.size()) break;
    auto plain = layer.Open(rest.first(*size));
    if (!plain.ok()) {
      *error = plain.status();
      break;
    }
    const bool in_place = plain->data() >= rest.data() && plain->data() < rest.data() + *size;
    in_place ? plaintext->Add(*plain) : plaintext->Keep(*plain);
    taken += *size;
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

// Frames of about the same size: a short one at the end of each read would cost as much as a long
// one.
size_t FrameShare(const SecurityLayer& layer, size_t octets) {
  const size_t most = layer.framed() ? layer.MaxPlaintext() : octets;
  if (most == 0) return octets;  // which Seal refuses
  const size_t frames = (octets + most - 1) / most;
  return (octets + frames - 1) / frames;
}

// No token of empty plaintext: Jargyle takes it as the end.
Status SealFrames(SecurityLayer& layer, ByteView plain, Bytes* output) {
  if (plain.empty()) return {};
  const size_t share = FrameShare(layer, plain.size());
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
