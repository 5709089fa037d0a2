// A SecurityLayer is what one authentication method makes of a connection: first it negotiates,
// then it seals every outgoing octet into frames and opens the incoming ones.
//
// One object serves one connection in one role and performs no I/O: octets in, octets out.
// Seal and Open may be called from two threads at the same time (one each); everything else is for
// one thread. Errors are sticky: after the first one every call fails with it, but the output that
// the negotiation has already appended (an abort, say) should still be sent.
#ifndef LIB_SECURITY_SECURITY_LAYER_H_
#define LIB_SECURITY_SECURITY_LAYER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace socksify {

// RFC 1961 section 4.2. kNone is what a method without per-message protection gives.
enum class ProtectionLevel : uint8_t {
  kNone = 0,
  kIntegrity = 1,
  kConfidentiality = 2,
  kSelective = 3,
};
const char* ProtectionLevelName(ProtectionLevel level);  // "integrity"; "none" for kNone

// What was agreed, for people. Empty where it does not apply.
struct SecuritySummary {
  std::string mechanism;         // "krb5 (aes256-cts-hmac-sha1-96)", "RFC 1929"
  std::string client_principal;  // or the user name
  std::string server_principal;
  ProtectionLevel level = ProtectionLevel::kNone;
  std::vector<std::pair<std::string, std::string>> details{};  // more of it, named: "cipher", ...
};

// Frames that several threads seal at the same time.
class ApartSealer {
 public:
  // The places of the next `frames` frames in the order of the session: the first of them. All must
  // be sealed and sent, in their order. Called as SecurityLayer::Seal() is.
  virtual uint64_t TakePlaces(size_t frames) = 0;

  // As SecurityLayer::Seal(), for a place that was taken: the `lane`th of them, 0 for the first.
  // Each lane is for one thread at a time.
  virtual Status SealApart(uint64_t place, size_t lane, ByteView plain, Bytes* frame) = 0;

  // Frees what the lanes keep, until the next time.
  virtual void ForgetLanes() = 0;

 protected:
  ~ApartSealer() = default;
};

class SecurityLayer {
 public:
  virtual ~SecurityLayer() = default;

  // The part of the negotiation that can be done before the peer has said anything. It may block on
  // other machines (the KDC, names); nothing else here does. Optional: Negotiate does it when
  // needed.
  virtual Status Prepare() { return {}; }

  // Takes part in the method's sub-negotiation. `input` is what has come from the peer so far;
  // `consumed` is set to how much of it is done with and can be dropped. Octets for the peer are
  // appended to `output`, also on failure. Call it first with empty input: the initiator speaks
  // first. Returns true once the layer is established; octets behind that are not looked at.
  virtual Result<bool> Negotiate(ByteView input, size_t* consumed, Bytes* output) = 0;

  // While negotiating: how many more octets at the least are needed before Negotiate can go on,
  // judged by the input it was last shown. A caller that reads no more than that never reads past
  // the end of the negotiation.
  virtual size_t WantedOctets() const = 0;

  virtual SecuritySummary Summary() const = 0;

  // --- established ---

  // False: no frames at all, the octets of the application go as they are (methods 00, 02, 03).
  virtual bool framed() const = 0;

  // Most octets of plaintext one frame can carry.
  virtual size_t MaxPlaintext() const = 0;

  // No frame that carries plaintext is shorter than this.
  virtual size_t MinFrameSize() const = 0;

  // Does each frame carry its own plaintext and no other? SSL's do not: one that completes a TLS
  // record carries what was in earlier ones, up to MaxPlaintext() and more, whatever its size.
  virtual bool frames_are_messages() const { return true; }

  // With frames_are_messages(): no frame that Open() accepts is longer than its plaintext by less
  // than this. 0 otherwise: how much plaintext is to come cannot be told from the octets due.
  virtual size_t FrameOverhead() const { return frames_are_messages() ? MinFrameSize() - 1 : 0; }

  // Once, when the negotiation is over: what its last octets carried behind it, opened.
  virtual Bytes TakeEarlyPlaintext() { return {}; }

  // Appends one frame with all of `plain` (1 to MaxPlaintext() octets) to `frame`.
  virtual Status Seal(ByteView plain, Bytes* frame) = 0;

  // For who has several frames to seal, and threads for it; null where one must follow the other.
  virtual ApartSealer* apart() { return nullptr; }

  // The size of the frame that starts at `head`, its header included; 0 while too few octets are
  // there to know (4 always suffice). Checks version, type and length. Thread-safe.
  virtual Result<size_t> FrameSize(ByteView head) const = 0;

  // Opens exactly one frame, in place if it can. The plaintext is a view into `frame`, or into the
  // layer and valid until the next call; possibly empty, and larger than the frame when this one
  // completes a TLS record that earlier ones began. Whatever the peer did wrong is an error here:
  // kIntegrity, kPolicy or kMalformed.
  virtual Result<ByteSpan> Open(ByteSpan frame) = 0;

  // For who has two whole frames: what Open() is called with the next two times, at these very
  // addresses, with nothing opened in between. They hold anything from now on. A layer may work at
  // both together; their errors come from Open(). Called as Open() is.
  virtual void Expect(ByteSpan /*frame*/, ByteSpan /*next*/) {}

  // Do the directions of this method end by a message of its own (SSL: close_notify)? Then the end
  // of the stream without it is a truncation, and who sends no more says so by Close().
  virtual bool closes() const { return false; }

  // With closes(): an opened frame has said that the peer sends no more. Thread-safe.
  virtual bool peer_closed() const { return false; }

  // Ends the sending direction: appends the frames that tell the peer, none without closes(), and
  // Seal() fails from then on. Called by whoever may call Seal().
  virtual Status Close(Bytes*) { return {}; }

  // --- datagrams, of an established session (RFC 1928 section 7, RFC 1961 section 6) ---
  //
  // They are numbered with the frames of the session. SealDatagram and OpenDatagram may be called
  // as Seal and Open may, beside these.

  // May datagrams be relayed under this session? SSL's may, in clear, where UDP-Naked was agreed.
  virtual bool relays_datagrams() const { return false; }

  // Most octets of plaintext, header included, that fit into one datagram of UDP.
  virtual size_t MaxDatagram() const { return 0; }

  // Appends one datagram with all of `plain` (at most MaxDatagram() octets) to `datagram`.
  virtual Status SealDatagram(ByteView, Bytes*) {
    return {Errc::kUnsupported, "this session relays no datagrams"};
  }

  // Opens one, in place: the plaintext is a view into `datagram`. Missing and reordered ones are as
  // UDP has them; one that has come before is an error. No error is the end of the session: the
  // datagram, which may be anybody's, is to be dropped.
  virtual Result<ByteSpan> OpenDatagram(ByteSpan) {
    return {Errc::kUnsupported, "this session relays no datagrams"};
  }

  // Is a missing, repeated or reordered frame an error? A session that was negotiated for datagrams
  // may leave the order alone; then nothing but UDP ASSOCIATE may be asked for in it.
  virtual bool ordered() const { return true; }

  // Ends this layer, with nobody in Seal or Open: they fail from now on. The octets let
  // ImportSecurityLayer go on in another process; they are secret. kUnsupported where that cannot
  // be done; the layer goes on then.
  virtual Result<Bytes> Export() {
    return {Errc::kUnsupported, "a session of this method cannot be handed over"};
  }
};

// Goes on with a session that Export() has ended: established, without a summary but for the level.
// `state` may be anything; kMalformed unless it is such a session. For one import of each state:
// two layers would use the same sequence numbers.
Result<std::unique_ptr<SecurityLayer>> ImportSecurityLayer(ByteView state);

}  // namespace socksify

#endif  // LIB_SECURITY_SECURITY_LAYER_H_
