// Per-message protection of an established session (RFC 1961 section 5), whoever makes the tokens:
// the GSS-API library, or we ourselves. Private to lib/security.
#ifndef LIB_SECURITY_MESSAGE_PROTECTION_H_
#define LIB_SECURITY_MESSAGE_PROTECTION_H_

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/security/security_layer.h"

namespace socksify {

class MessageProtection {
 public:
  virtual ~MessageProtection() = default;
  MessageProtection(const MessageProtection&) = delete;
  MessageProtection& operator=(const MessageProtection&) = delete;

  ProtectionLevel level() const { return level_; }
  size_t max_token() const { return max_token_; }

  // As SecurityLayer's.
  size_t MaxPlaintext() const { return max_plaintext_; }
  size_t MinFrameSize() const { return min_frame_; }
  size_t FrameOverhead() const { return frame_overhead_; }
  size_t MaxDatagram() const { return max_datagram_; }
  bool ordered() const { return ordered_; }
  virtual Status Seal(ByteView plain, Bytes* frame) = 0;
  virtual ApartSealer* apart() { return nullptr; }
  virtual Result<ByteSpan> Open(ByteSpan frame) = 0;
  virtual void Expect(ByteSpan /*frame*/, ByteSpan /*next*/) {}
  virtual Status SealDatagram(ByteView plain, Bytes* datagram) = 0;
  virtual Result<ByteSpan> OpenDatagram(ByteSpan datagram) = 0;

  // What it takes to go on elsewhere, besides level() and max_token(): secret octets. It ends here.
  // kUnsupported: it goes on.
  virtual Result<Bytes> Export() = 0;
  enum class ExportForm : uint8_t { kContext = 1, kKrb5Session = 3 };  // 2 is a session of SSL
  virtual ExportForm export_form() const = 0;

 protected:
  // `max_token` bounds what is sent, never what is accepted.
  MessageProtection(ProtectionLevel level, size_t max_token)
      : level_(level), max_token_(max_token) {}

  // RFC 1961 section 6: a datagram is one message of user data and nothing else. Its token.
  static Result<ByteSpan> TokenOfDatagram(ByteSpan datagram);

  static Status NotConfidential();           // what has come is not, where that was agreed
  static Status FrameTooLarge(size_t size);  // or empty

  const ProtectionLevel level_;
  const size_t max_token_;
  size_t max_plaintext_ = 0;
  size_t min_frame_ = 0;
  size_t frame_overhead_ = 0;
  size_t max_datagram_ = 0;
  bool ordered_ = true;
};

}  // namespace socksify

#endif  // LIB_SECURITY_MESSAGE_PROTECTION_H_
