// RAII for GSS-API's handles, and its statuses as ours. Private to security/gss_*.
#ifndef LIB_SECURITY_GSS_SUPPORT_H_
#define LIB_SECURITY_GSS_SUPPORT_H_

extern "C" {  // MIT 1.20 closes its own before the RFC 5801 calls
#include <gssapi/gssapi.h>
}
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include <string>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/security/library_gate.h"

namespace socksify {

// Owns a handle of GSS-API and releases it with `release`.
template <typename Handle, OM_uint32 (*release)(OM_uint32*, Handle*)>
class GssHandle {
 public:
  GssHandle() = default;
  explicit GssHandle(Handle handle) : handle_(handle) {}
  GssHandle(GssHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  GssHandle& operator=(GssHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~GssHandle() { Reset(); }

  Handle get() const { return handle_; }
  Handle* address() { return &handle_; }
  void Reset() {
    if (handle_ == nullptr) return;
    const LibraryGate gate;
    OM_uint32 minor;
    (void)release(&minor, &handle_);
    handle_ = nullptr;
  }

 private:
  Handle handle_ = nullptr;
};

// RFC 1961 section 6: the deletion token is not used.
inline OM_uint32 DeleteGssContext(OM_uint32* minor, gss_ctx_id_t* context) {
  return gss_delete_sec_context(minor, context, GSS_C_NO_BUFFER);
}

using GssName = GssHandle<gss_name_t, gss_release_name>;
using GssCredential = GssHandle<gss_cred_id_t, gss_release_cred>;
using GssContext = GssHandle<gss_ctx_id_t, DeleteGssContext>;

// Owns a buffer that GSS-API allocated.
class GssBuffer {
 public:
  GssBuffer() = default;
  GssBuffer(const GssBuffer&) = delete;
  GssBuffer& operator=(const GssBuffer&) = delete;
  ~GssBuffer() {
    OM_uint32 minor;
    (void)gss_release_buffer(&minor, &buffer_);
  }

  gss_buffer_t get() { return &buffer_; }
  void Wipe() { socksify::Wipe({static_cast<uint8_t*>(buffer_.value), buffer_.length}); }
  ByteView octets() const { return {static_cast<const uint8_t*>(buffer_.value), buffer_.length}; }

 private:
  gss_buffer_desc buffer_ = GSS_C_EMPTY_BUFFER;
};

// A borrowed buffer for an input parameter, which GSS-API does not write to.
inline gss_buffer_desc GssInput(ByteView octets) {
  return {octets.size(), const_cast<uint8_t*>(octets.data())};
}

// The mechanism's own words for a failure: "No credentials were supplied ...".
std::string GssErrorText(OM_uint32 major, OM_uint32 minor);

// A failure to establish a context as an initiator, with what to do about it. `target` is the name
// of the service that was asked for.
Status InitiatorError(OM_uint32 major, OM_uint32 minor, const std::string& target);

// Does the failure say that the realm does not know the service, so that the next name may do?
bool IsUnknownService(OM_uint32 minor);

std::string GssDisplayName(gss_name_t name);  // "socks/proxy.example.com@EXAMPLE.COM"

// From then on the library reads its configuration again when it has changed, not for each context.
void HoldKerberosConfiguration();

extern const gss_OID_desc kKerberosMechanism;
extern const gss_OID_desc kSpnegoMechanism;

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_SUPPORT_H_
