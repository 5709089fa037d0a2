// RAII for GnuTLS's handles, and its errors as ours. Private to security/ssl_*.
#ifndef LIB_SECURITY_SSL_SUPPORT_H_
#define LIB_SECURITY_SSL_SUPPORT_H_

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <string>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/security/library_gate.h"

namespace socksify {

// Owns a handle of GnuTLS and releases it with `release`.
template <typename Handle, void (*release)(Handle)>
class GnutlsHandle {
 public:
  GnutlsHandle() = default;
  explicit GnutlsHandle(Handle handle) : handle_(handle) {}
  GnutlsHandle(GnutlsHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  GnutlsHandle& operator=(GnutlsHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~GnutlsHandle() {
    if (handle_ == nullptr) return;
    const LibraryGate gate;
    release(handle_);
  }

  Handle get() const { return handle_; }
  Handle* address() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using GnutlsSession = GnutlsHandle<gnutls_session_t, gnutls_deinit>;
using GnutlsPriority = GnutlsHandle<gnutls_priority_t, gnutls_priority_deinit>;
using GnutlsCertificates =
    GnutlsHandle<gnutls_certificate_credentials_t, gnutls_certificate_free_credentials>;
using GnutlsCertificate = GnutlsHandle<gnutls_x509_crt_t, gnutls_x509_crt_deinit>;

// Owns octets that GnuTLS allocated.
class GnutlsDatum {
 public:
  GnutlsDatum() = default;
  GnutlsDatum(const GnutlsDatum&) = delete;
  GnutlsDatum& operator=(const GnutlsDatum&) = delete;
  ~GnutlsDatum() {
    Wipe({datum_.data, datum_.size});
    gnutls_free(datum_.data);
  }

  gnutls_datum_t* get() { return &datum_; }
  const gnutls_datum_t* get() const { return &datum_; }
  ByteView octets() const { return {datum_.data, datum_.size}; }

 private:
  gnutls_datum_t datum_ = {nullptr, 0};
};

// Borrowed octets for an input parameter, which GnuTLS does not write to.
inline gnutls_datum_t GnutlsInput(ByteView octets) {
  return {const_cast<uint8_t*>(octets.data()), static_cast<unsigned>(octets.size())};
}

// A peer's fault, in the words of GnuTLS.
inline Status GnutlsError(Errc code, const std::string& what, int error) {
  return {code, what + ": " + gnutls_strerror(error)};
}

}  // namespace socksify

#endif  // LIB_SECURITY_SSL_SUPPORT_H_
