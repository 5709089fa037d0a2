// An established session between its wire and its plaintext: what a relay needs of an engine.
// Owned by the caller; one thread at a time.
#ifndef LIB_ENGINE_CODEC_H_
#define LIB_ENGINE_CODEC_H_

#include <memory>

#include "lib/base/bytes.h"
#include "lib/base/pieces.h"
#include "lib/base/result.h"
#include "lib/security/security_layer.h"

namespace socksify {

class Codec {
 public:
  virtual ~Codec() = default;

  virtual const Status& error() const = 0;  // sticky; output() should still be sent

  // Octets from the wire. Whole frames come out at plaintext(), the beginning of one is kept.
  virtual void Feed(ByteView octets) = 0;
  virtual void FeedEof() = 0;  // inside a frame this is an error (kTruncated)

  // Seals octets into output(), in as many frames as they need. A failure is also the codec's.
  virtual Status SendPlaintext(ByteView octets) = 0;

  // Ends the sending direction, after all that was sealed: appends to output() what tells the peer,
  // if the method has such a message. Once; nothing is sealed after it.
  virtual void Close() = 0;
  // The peer has said, in a message of the method, that it sends no more. FeedEof() without it is
  // an error (kTruncated) where the method has one.
  virtual bool peer_closed() const = 0;

  virtual Bytes& output() = 0;     // for the wire; the caller drains it
  virtual Bytes& plaintext() = 0;  // opened; the caller drains it

  // --- the same for who has buffers of its own, and wants nothing copied ---

  // What is kept of the wire: the beginning of a frame.
  virtual ByteView unread() const = 0;
  // As Feed(), of octets that begin with unread(). They are opened where they are; `plaintext` gets
  // pieces of them.
  virtual void FeedInPlace(ByteSpan octets, Pieces* plaintext) = 0;

  virtual SecurityLayer& layer() = 0;  // established
  // How much of so many octets the next frame is to carry.
  virtual size_t FrameShare(size_t octets) const = 0;
  // As SendPlaintext(), but the frames are appended to `frames`.
  virtual Status Seal(ByteView octets, Bytes* frames) = 0;
};

// `layer` is established.
std::unique_ptr<Codec> NewCodec(std::unique_ptr<SecurityLayer> layer);

// Opens the frame that `input` starts with and appends its plaintext; returns its size, or 0 while
// it is not whole. Without frames: all of `input`, as it is.
Result<size_t> OpenFrame(SecurityLayer& layer, ByteSpan input, Bytes* plaintext);

// Opens all whole frames that `input` starts with, in place; returns their size. `error`: of the
// one behind them.
size_t OpenFrames(SecurityLayer& layer, ByteSpan input, Pieces* plaintext, Status* error);

// May the stream end here, with `unread` behind the last whole frame? kTruncated if not.
Status CheckEnd(const SecurityLayer& layer, ByteView unread);

// Keeps the beginning of a frame; an idle session keeps no buffer.
void KeepUnread(ByteView octets, Bytes* unread);

// Most octets that a frame is to carry, without frames `unframed`.
size_t MostToSeal(const SecurityLayer& layer, size_t unframed);

// How much of so many octets the next frame is to carry.
size_t FrameShare(const SecurityLayer& layer, size_t octets);

// Appends `plain` in as many frames as it needs, none for nothing.
Status SealFrames(SecurityLayer& layer, ByteView plain, Bytes* output);

}  // namespace socksify

#endif  // LIB_ENGINE_CODEC_H_
