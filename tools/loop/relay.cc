#include "tools/loop/relay.h"

#include <algorithm>
#include <utility>

#include "tools/loop/crew.h"

namespace socksify {
namespace {

constexpr uint64_t kResetCheckMs = 50;
constexpr unsigned kMaxStalledChecks = 40;
constexpr size_t kHighWater = 256 * 1024;  // queued octets above which the other side is not read
constexpr size_t kLowWater = 64 * 1024;
constexpr size_t kAtOnce = 256 * 1024;  // most octets of one read

}  // namespace

Relay::Relay(uv_loop_t* loop, RelayOwner* owner, Codec& codec, StreamPtr wire, StreamPtr plain)
    : owner_(owner),
      codec_(codec),
      wire_(std::move(wire)),
      plain_(std::move(plain)),
      timer_(
          loop, [](void* self) { static_cast<Relay*>(self)->OnTimer(); }, this) {}

void Relay::Start() {
  for (Stream* stream : {wire_.get(), plain_.get()}) {
    stream->set_owner(this);
    stream->Tune();
    stream->ResetOnClose(true);
  }
  Advance();
}

// --- what happens ---

// As many whole frames as one likes to do at once, so that none is short.
StreamOwner::Reading Relay::NextReading(Stream* stream) {
  if (stream == wire_.get()) return {codec_.unread(), kAtOnce};
  const size_t most = std::max<size_t>(1, MostToSeal(codec_.layer(), kAtOnce));
  return {{}, kAtOnce / most * most};
}

void Relay::OnOctets(Stream* stream, ByteSpan octets) {
  stream == wire_.get() ? Open(octets) : Seal(octets);
  Advance();
}

void Relay::Open(ByteSpan octets) {
  Pieces& opened = plain_->buffers().opened;
  codec_.FeedInPlace(octets, &opened);
  opening_.octets += opened.size();
  plain_->Write(opened.views());
  opened.Clear();
}

// Each frame is sent as soon as it is made.
void Relay::Seal(ByteView octets) {
  sealing_.octets += octets.size();
  LoopBuffers& buffers = wire_->buffers();
  const size_t share = codec_.FrameShare(octets.size());
  if (ApartSealer* sealer = codec_.layer().apart(); sealer != nullptr && buffers.crew != nullptr) {
    if (share < octets.size()) return SealApart(sealer, octets, share);
    sealer->ForgetLanes();
  }
  if (buffers.sealed.empty()) buffers.sealed.resize(1);
  Bytes& frame = buffers.sealed[0];
  while (!octets.empty()) {
    const ByteView part = octets.first(std::min(share, octets.size()));
    octets = octets.subspan(part.size());
    frame.clear();
    if (!codec_.Seal(part, &frame).ok()) return;  // it is the codec's, too
    wire_->Write(frame);
  }
}

namespace {

class FrameWork final : public CrewWork {
 public:
  FrameWork(ApartSealer* sealer, ByteView plain, size_t share, Stream* wire)
      : sealer_(sealer),
        plain_(plain),
        share_(share),
        wire_(wire),
        frames_(wire->buffers().sealed),
        count_((plain.size() + share - 1) / share),
        place_(sealer->TakePlaces(count_)) {
    if (frames_.size() < count_) frames_.resize(count_);
  }

  size_t count() const { return count_; }
  bool failed() const { return failed_; }

 private:
  void Step(size_t i) override {
    const ByteView behind = plain_.subspan(i * share_);
    frames_[i].clear();
    (void)sealer_->SealApart(place_ + i, i, behind.first(std::min(share_, behind.size())),
                             &frames_[i]);
  }
  void Take(size_t i) override {
    failed_ = failed_ || frames_[i].empty();
    if (!failed_) wire_->Write(frames_[i]);
  }

  ApartSealer* const sealer_;
  const ByteView plain_;
  const size_t share_;
  Stream* const wire_;
  std::vector<Bytes>& frames_;
  const size_t count_;
  const uint64_t place_;
  bool failed_ = false;
};

}  // namespace

void Relay::SealApart(ApartSealer* sealer, ByteView octets, size_t share) {
  FrameWork work(sealer, octets, share, wire_.get());
  wire_->buffers().crew->Run(&work, work.count());
  Bytes none;
  if (work.failed()) (void)codec_.Seal(octets, &none);  // the codec is to fail with its layer
}

void Relay::OnEnd(Stream* stream, int error) {
  if (error != 0) {
    BreakFrom(stream);
  } else if (WrittenTo(stream).broken) {
    BeginReset(&ReadFrom(stream));  // the error that belongs to this end came with a write
  } else {
    PassEnd(stream);
  }
  Balance();
}

void Relay::OnWritten(Stream*) { Balance(); }

void Relay::OnWriteError(Stream* stream, int) {
  // Who has said its own end and closes need not take ours, which its kernel answers with a reset.
  if (stream == wire_.get() && codec_.peer_closed() && sealing_.ended) {
    sealing_.shut = true;
    return Balance();
  }
  // What it has sent before is still to be read; its end follows, unless it has come already.
  WrittenTo(stream).broken = true;
  if (ReadFrom(stream).ended) BeginReset(&ReadFrom(stream));
  timer_.Start(kResetCheckMs);  // it cannot be read as long as the other end does not read
  Balance();
}

void Relay::OnShutdown(Stream* stream) {
  WrittenTo(stream).shut = true;
  Balance();
}

void Relay::OnTimer() {
  const size_t unsent = wire_->unsent() + plain_->unsent();
  stalled_checks_ = unsent == std::exchange(unsent_, unsent) ? stalled_checks_ + 1 : 0;
  timer_.Start(kResetCheckMs);
  Balance();
}

// --- what follows from it ---

// Sends whatever the codec has come to.
void Relay::Advance() {
  opening_.octets += codec_.plaintext().size();
  wire_->Write(codec_.output());
  plain_->Write(codec_.plaintext());
  codec_.output() = {};
  codec_.plaintext() = {};
  if (!codec_.error().ok()) {
    BreakFrom(wire_.get());
  } else if (codec_.peer_closed()) {
    PassEnd(wire_.get());
  }
  if (std::exchange(sealing_ended_, false)) PassFin(&sealing_, wire_.get());  // the codec's, too
  if (std::exchange(opening_ended_, false)) PassFin(&opening_, plain_.get());
  Balance();
}

// No more from that end, by its FIN or in the codec's own way, and the other is to know.
void Relay::PassEnd(Stream* from) {
  Way& way = ReadFrom(from);
  if (way.ended || way.reset_due) return;
  if (from == wire_.get()) {
    codec_.FeedEof();
  } else {
    codec_.Close();
    if (!codec_.output().empty())
      wire_->Cork();  // it goes with the FIN, so that both are seen at once
    wire_->Write(codec_.output());
    codec_.output() = {};
  }
  if (!codec_.error().ok()) return BreakFrom(wire_.get());
  PassFin(&way, Other(from));
}

void Relay::PassFin(Way* way, Stream* writer) {
  way->ended = true;
  writer->Shutdown();
}

// That end hears and says no more.
void Relay::BreakFrom(Stream* from) {
  WrittenTo(from).broken = true;
  BeginReset(&ReadFrom(from));
}

void Relay::BeginReset(Way* way) {
  if (!way->reset_due) timer_.Start(kResetCheckMs);
  way->reset_due = true;
}

// Reads where there is room, and ends the relay when there is nothing left to do.
void Relay::Balance() {
  if (opening_.reset_due || sealing_.reset_due) {
    const bool sent = (!opening_.reset_due || opening_.broken || plain_->unsent() == 0) &&
                      (!sealing_.reset_due || sealing_.broken || wire_->unsent() == 0);
    if (sent) return FinishReset();
  }
  if (stalled_checks_ > kMaxStalledChecks) return FinishReset();
  if (opening_.shut && sealing_.shut) return Finish(End::kClosed);
  BalanceWay(wire_.get(), plain_.get(), opening_);
  BalanceWay(plain_.get(), wire_.get(), sealing_);
}

void Relay::BalanceWay(Stream* reader, Stream* writer, const Way& way) {
  if (way.ended || way.reset_due) return reader->StopReading();
  if (way.broken || writer->queued() > kHighWater) {
    reader->StopReading();
  } else if (writer->queued() <= kLowWater) {
    reader->StartReading();
  }
}

void Relay::FinishReset() {
  if (!codec_.error().ok()) return Finish(End::kFailed);
  Finish(opening_.reset_due || sealing_.broken ? End::kResetByWire : End::kResetByPlain);
}

void Relay::Finish(End end) {
  end_ = end;
  if (end == End::kClosed) {
    wire_->ResetOnClose(false);
    plain_->ResetOnClose(false);
  }
  owner_->OnRelayEnd();
}

}  // namespace socksify
