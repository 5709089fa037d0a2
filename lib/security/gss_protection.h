// Per-message protection by the library, under an established context. Private to
// security/gss_*.
#ifndef LIB_SECURITY_GSS_PROTECTION_H_
#define LIB_SECURITY_GSS_PROTECTION_H_

#include <mutex>
#include <string>

#include "lib/security/gss_support.h"
#include "lib/security/message_protection.h"
#include "lib/wire/frame.h"

namespace socksify {

// Owns the context. MIT's contexts have no lock of their own, so one mutex serves both directions.
class GssProtection final : public MessageProtection {
 public:
  GssProtection(GssContext context, ProtectionLevel level, size_t max_token);

  Status Seal(ByteView plain, Bytes* frame) override;
  Result<ByteSpan> Open(ByteSpan frame) override;
  Status SealDatagram(ByteView plain, Bytes* datagram) override;
  Result<ByteSpan> OpenDatagram(ByteSpan datagram) override;

  // The context in GSS-API's own interprocess form.
  Result<Bytes> Export() override;
  ExportForm export_form() const override { return ExportForm::kContext; }

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

  std::mutex mutex_;
  GssContext context_;  // guarded by mutex_
  Status error_;        // guarded by mutex_; what has ended the session
  uint64_t next_ = 0;   // guarded by mutex_; behind the latest token of the peer, 0: none is known
};

// Wraps (never with confidentiality) and unwraps the octet of the protection-level subnegotiation,
// RFC 1961 section 4.4. Anything but one octet in an intact, fresh, in-order token is an error.
Result<Bytes> WrapProtectionLevel(gss_ctx_id_t context, uint8_t level);
struct UnwrappedLevel {
  uint8_t level;
  uint64_t next;  // the number of the peer's next token
};
Result<UnwrappedLevel> UnwrapProtectionLevel(gss_ctx_id_t context, ByteView token);

// "krb5 (aes256-cts-hmac-sha1-96)"; `mechanism` as GSS-API reports it for the context.
std::string DescribeMechanism(gss_ctx_id_t context, gss_OID mechanism);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_PROTECTION_H_
