// An established session between its wire and its plaintext: what a relay needs of an engine.
// Owned by the caller; one thread at a time.
#ifndef LIB_ENGINE_CODEC_H_
#define LIB_ENGINE_CODEC_H_

#include <memory>

#include "lib/base/bytes.h"
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
};

// `layer` is established.
std::unique_ptr<Codec> NewCodec(std::unique_ptr<SecurityLayer> layer);

// Opens the frame that `input` starts with and appends its plaintext; returns its size, or 0 while
// it is not whole. Without frames: all of `input`, as it is.
Result<size_t> OpenFrame(SecurityLayer& layer, ByteSpan input, Bytes* plaintext);

// May the stream end here, with `unread` behind the last whole frame? kTruncated if not.
Status CheckEnd(const SecurityLayer& layer, ByteView unread);

// Appends `plain` in as many frames as it needs, none for nothing.
Status SealFrames(SecurityLayer& layer, ByteView plain, Bytes* output);

}  // namespace socksify

#endif  // LIB_ENGINE_CODEC_H_
