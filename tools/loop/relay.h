// Pumps between the two ends of an established session, until both have closed or one has failed:
//
//   peer  <== frames ==>  wire stream | Codec | plain stream  <-- octets -->  target or application
//
// Half-closes pass through, in the method's own way where it has one. A reset, a bad frame or an
// end that the method takes for a truncation resets both ends, once the other has what came before
// it. Each direction stops reading while the other stream's queue is long, so a session holds
// little whatever its peers do.
//
// Until both ends have closed in order the streams are set to be reset when they close: nobody
// takes a process that dies, or a session dropped half-way, for an end of file.
#ifndef TOOLS_LOOP_RELAY_H_
#define TOOLS_LOOP_RELAY_H_

#include <uv.h>

#include "lib/engine/codec.h"
#include "tools/loop/stream.h"
#include "tools/loop/timer.h"

namespace socksify {

class RelayOwner {
 public:
  // Once, and last: the owner destroys the relay in it.
  virtual void OnRelayEnd() = 0;

 protected:
  ~RelayOwner() = default;
};

class Relay final : public StreamOwner {
 public:
  enum class End : unsigned char { kRunning, kClosed, kResetByWire, kResetByPlain, kFailed };

  // `codec` is established and, with `owner`, outlives the relay; kFailed is its error.
  Relay(uv_loop_t* loop, RelayOwner* owner, Codec& codec, StreamPtr wire, StreamPtr plain);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Delivers what the codec holds already, then pumps. May end the relay.
  void Start();

  // Before Start(): the plain end sends no more and the codec has said so; a FIN goes out behind
  // what is there.
  void EndSealing() { sealing_ended_ = true; }
  // Before Start(): the plain end takes no more; what the wire says from now on is not read.
  void EndOpening() { opening_ended_ = true; }

  End end() const { return end_; }
  uint64_t opened() const { return opening_.octets; }  // octets of plaintext, wire to plain
  uint64_t sealed() const { return sealing_.octets; }  // plain to wire

 private:
  // One direction: one stream is read, the other written.
  struct Way {
    uint64_t octets = 0;
    bool ended = false;      // the reading side has said FIN
    bool shut = false;       // and we have passed it on
    bool broken = false;     // the writing side takes no more
    bool reset_due = false;  // the writing side gets a reset once it has what came before
  };

  Reading NextReading(Stream* stream) override;
  void OnOctets(Stream* stream, ByteSpan octets) override;
  void OnEnd(Stream* stream, int error) override;
  void OnWritten(Stream* stream) override;
  void OnWriteError(Stream* stream, int error) override;
  void OnShutdown(Stream* stream) override;
  void OnTimer();

  void Open(ByteSpan octets);
  void Seal(ByteView octets);
  void SealApart(ApartSealer* sealer, ByteView octets, size_t share);
  // The first two may end the relay, so they come last in what calls them.
  void Advance();
  void Balance();
  void BalanceWay(Stream* reader, Stream* writer, const Way& way);
  void PassEnd(Stream* from);
  static void PassFin(Way* way, Stream* writer);
  void BreakFrom(Stream* from);
  void BeginReset(Way* way);
  void FinishReset();
  void Finish(End end);

  Way& ReadFrom(const Stream* stream) { return stream == wire_.get() ? opening_ : sealing_; }
  Way& WrittenTo(const Stream* stream) { return stream == wire_.get() ? sealing_ : opening_; }
  Stream* Other(const Stream* stream) { return stream == wire_.get() ? plain_.get() : wire_.get(); }

  RelayOwner* const owner_;
  Codec& codec_;
  const StreamPtr wire_;
  const StreamPtr plain_;
  Way opening_;  // wire to plain
  Way sealing_;  // plain to wire
  bool sealing_ended_ = false, opening_ended_ = false;
  End end_ = End::kRunning;
  size_t unsent_ = 0;            // at the last check
  unsigned stalled_checks_ = 0;  // since then nothing has gone out
  Timer timer_;                  // while a reset is due, or an end is broken
};

}  // namespace socksify

#endif  // TOOLS_LOOP_RELAY_H_
