#include "lib/security/gss_lucid.h"

#include <algorithm>
#include <array>
#include <utility>

namespace socksify {
namespace {

// 1.2.840.113554.1.2.2.4, of MIT: an enctype follows.
constexpr std::array<uint8_t, 10> kEnctypeOid = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                                 0x12, 0x01, 0x02, 0x02, 0x04};

void WipeKey(const gss_krb5_lucid_key_t& key) {
  Wipe({static_cast<uint8_t*>(key.data), key.length});
}

// The library's form of an exported context, keys and all.
class LucidContext {
 public:
  explicit LucidContext(GssContext context) {
    OM_uint32 minor;
    void* exported = nullptr;
    if (GSS_ERROR(gss_krb5_export_lucid_sec_context(&minor, context.address(), 1, &exported)))
      return;
    context_ = static_cast<gss_krb5_lucid_context_v1_t*>(exported);
  }
  LucidContext(const LucidContext&) = delete;
  LucidContext& operator=(const LucidContext&) = delete;
  ~LucidContext() {
    if (context_ == nullptr) return;
    if (context_->protocol == 1) {
      WipeKey(context_->cfx_kd.ctx_key);
      if (context_->cfx_kd.have_acceptor_subkey != 0) WipeKey(context_->cfx_kd.acceptor_subkey);
    }
    OM_uint32 minor;
    (void)gss_krb5_free_lucid_sec_context(&minor, context_);
  }

  const gss_krb5_lucid_context_v1_t* get() const { return context_; }

 private:
  gss_krb5_lucid_context_v1_t* context_ = nullptr;
};

}  // namespace

int ContextEnctype(gss_ctx_id_t context) {
  OM_uint32 minor;
  gss_buffer_set_t key = GSS_C_NO_BUFFER_SET;
  int enctype = 0;
  if (!GSS_ERROR(
          gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &key)) &&
      key->count >= 2) {
    // The key, and an OID that ends with its enctype: all of them are below 128.
    const ByteView oid(static_cast<const uint8_t*>(key->elements[1].value),
                       key->elements[1].length);
    if (oid.size() == kEnctypeOid.size() + 1 &&
        std::ranges::equal(oid.first(kEnctypeOid.size()), kEnctypeOid))
      enctype = oid.back();
    Wipe({static_cast<uint8_t*>(key->elements[0].value), key->elements[0].length});
  }
  (void)gss_release_buffer_set(&minor, &key);
  return enctype;
}

bool IsOrdered(gss_ctx_id_t context) {
  OM_uint32 minor, flags = 0;
  return !GSS_ERROR(gss_inquire_context(&minor, context, nullptr, nullptr, nullptr, nullptr, &flags,
                                        nullptr, nullptr)) &&
         (flags & GSS_C_SEQUENCE_FLAG) != 0;
}

std::unique_ptr<Krb5Session> LeaveLibrary(GssContext context, uint64_t receive_next) {
  const bool ordered = IsOrdered(context.get());
  const LucidContext lucid(std::move(context));
  const auto* exported = lucid.get();
  if (exported == nullptr || exported->protocol != 1) return nullptr;  // 1: RFC 4121
  const bool acceptor_subkey = exported->cfx_kd.have_acceptor_subkey != 0;
  const gss_krb5_lucid_key_t& key =
      acceptor_subkey ? exported->cfx_kd.acceptor_subkey : exported->cfx_kd.ctx_key;
  const Krb5Enctype* enctype = FindKrb5Enctype(static_cast<int>(key.type));
  if (enctype == nullptr || key.length != enctype->key_size) return nullptr;
  const ByteView octets(static_cast<const uint8_t*>(key.data), key.length);
  return std::make_unique<Krb5Session>(
      Krb5Context{enctype, Secret(AsText(octets)), exported->initiate != 0, acceptor_subkey,
                  ordered},
      exported->send_seq, receive_next);
}

}  // namespace socksify
