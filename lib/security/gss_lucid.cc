#include "lib/security/gss_lucid.h"

#include <utility>

namespace socksify {
namespace {

void WipeKey(const gss_krb5_lucid_key_t& key) {
  Wipe({static_cast<uint8_t*>(key.data), key.length});
}

// The library's form of an exported context, keys and all.
class LucidContext {
 public:
  explicit LucidContext(GssContext context) {
    OM_uint32 minor;
    void* exported = nullptr;
    if (GSS_ERROR(gss_krb5_export_lucid_sec_context(&minor, context.address(), 1, &exported))) return;
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

bool CanLeaveLibrary(gss_ctx_id_t context) {
  return FindKrb5Enctype(ContextEnctype(context)) != nullptr;
}

std::unique_ptr<Krb5Session> LeaveLibrary(GssContext context, uint64_t receive_next) {
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
      Krb5Key{enctype, Secret(AsText(octets)), exported->initiate != 0, acceptor_subkey},
      exported->send_seq, receive_next);
}

}  // namespace socksify
