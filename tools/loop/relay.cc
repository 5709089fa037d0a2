#include "tools/loop/relay.h"

#include <utility>

namespace socksify {
namespace {

constexpr uint64_t kResetCheckMs = 50;
constexpr unsigned kMaxStalledChecks = 40;
constexpr size_t kHighWater = 256 * 1024;  // queued octets above which the other side is not read
constexpr size_t kLowWater = 64 * 1024;

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

void Relay::OnOctets(Stream* stream, ByteView octets) {
  if (stream == wire_.get()) {
    codec_.Feed(octets);
  } else {
    sealing_.octets += octets.size();
    (void)codec_.SendPlaintext(octets);  // a failure is the codec's too
  }
  Advance();
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
  wire_->Write(std::exchange(codec_.output(), {}));
  plain_->Write(std::exchange(codec_.plaintext(), {}));
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
    wire_->Write(std::exchange(codec_.output(), {}));
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
