// Per-message protection under an established context (RFC 1961 section 5). Private to
// security/gss_*.
#ifndef LIB_SECURITY_GSS_PROTECTION_H_
#define LIB_SECURITY_GSS_PROTECTION_H_

#include <mutex>
#include <string>

#include "lib/security/gss_support.h"
#include "lib/security/security_layer.h"
#include "lib/wire/frame.h"

namespace socksify {

// Owns the context. MIT's contexts have no lock of their own, so one mutex serves both directions.
class GssProtection {
 public:
  // `max_token` bounds what is sent, never what is accepted.
  GssProtection(GssContext context, ProtectionLevel level, size_t max_token);

  ProtectionLevel level() const { return level_; }
  size_t max_token() const { return max_token_; }
  size_t MaxPlaintext() const { return max_plaintext_; }
  size_t MinFrameSize() const { return min_frame_; }
  size_t FrameOverhead() const { return frame_overhead_; }
  size_t MaxDatagram() const { return max_datagram_; }
  bool ordered() const { return ordered_; }

  // As SecurityLayer's.
  Status Seal(ByteView plain, Bytes* frame);
  Result<ByteSpan> Open(ByteSpan frame);
  Status SealDatagram(ByteView plain, Bytes* datagram);
  Result<ByteSpan> OpenDatagram(ByteSpan datagram);

  // The context in GSS-API's own interprocess form; it ends here. kUnsupported: it goes on.
  Result<Bytes> ExportContext();

 private:
  // A token opened in place, with the status that GSS-API gives of its order.
  struct Opened {
    ByteSpan plain;
    OM_uint32 major = GSS_S_COMPLETE;
    OM_uint32 minor = 0;
  };
  // The caller holds mutex_. An error is not sticky yet. `in_order`: plaintext is wanted of those
  // alone whose status is GSS_S_COMPLETE.
  Result<Opened> Unwrap(ByteSpan token, bool in_order);
  size_t SizeLimit(size_t token) const;

  const ProtectionLevel level_;
  const size_t max_token_;
  std::mutex mutex_;
  GssContext context_;  // guarded by mutex_
  Status error_;        // guarded by mutex_; what has ended the session
  size_t max_plaintext_ = 0;
  size_t min_frame_ = 0;
  size_t frame_overhead_ = 0;
  size_t max_datagram_ = 0;
  bool ordered_ = true;
  uint64_t next_ = 0;  // guarded by mutex_; behind the latest token of the peer, 0: none is known
};

// Wraps (never with confidentiality) and unwraps the octet of the protection-level subnegotiation,
// RFC 1961 section 4.4. Anything but one octet in an intact, fresh, in-order token is an error.
Result<Bytes> WrapProtectionLevel(gss_ctx_id_t context, uint8_t level);
Result<uint8_t> UnwrapProtectionLevel(gss_ctx_id_t context, ByteView token);

// "krb5 (aes256-cts-hmac-sha1-96)"; `mechanism` as GSS-API reports it for the context.
std::string DescribeMechanism(gss_ctx_id_t context, gss_OID mechanism);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_PROTECTION_H_
