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

  void FeedEof() override {
    if (error_.ok()) error_ = CheckEnd(*layer_, input_);
  }

  void Close() override {
    if (error_.ok()) error_ = layer_->Close(&output_);
  }
  bool peer_closed() const override { return layer_->peer_closed(); }

  Status SendPlaintext(ByteView octets) override {
    if (error_.ok()) error_ = SealFrames(*layer_, octets, &output_);
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

// Frames of about the same size: a short one at the end of each read would cost as much as a long
// one. No token of empty plaintext: Jargyle takes it as the end.
Status SealFrames(SecurityLayer& layer, ByteView plain, Bytes* output) {
  if (plain.empty()) return {};
  const size_t most = layer.framed() ? layer.MaxPlaintext() : plain.size();
  if (most == 0) return {Errc::kUnsupported, "no frame can hold any plaintext"};
  const size_t frames = (plain.size() + most - 1) / most;
  const size_t share = (plain.size() + frames - 1) / frames;
  output->reserve(output->size() + plain.size() + frames * layer.MinFrameSize() * 2);
  while (!plain.empty()) {
    const size_t count = std::min(share, plain.size());
    if (Status status = layer.Seal(plain.first(count), output); !status.ok()) return status;
    plain = plain.subspan(count);
  }
  return {};
}

}  // namespace socksify
