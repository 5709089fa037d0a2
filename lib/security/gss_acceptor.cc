// The server's side of RFC 1961.
#include <algorithm>
#include <utility>

#include "lib/security/gss_base.h"
#include "lib/security/gss_layer.h"

namespace socksify {

class GssAcceptorCredential {
 public:
  explicit GssAcceptorCredential(GssCredential handle) : handle_(std::move(handle)) {}
  gss_cred_id_t get() const { return handle_.get(); }

 private:
  GssCredential handle_;
};

namespace {

class GssAcceptor final : public GssLayer {
 public:
  explicit GssAcceptor(GssAcceptorOptions options) : options_(std::move(options)) {}

 protected:
  Status Begin(Bytes*) override { return {}; }  // the initiator speaks first

  Status HandleMessage(MessageType type, ByteView token, Bytes* output) override {
    const bool expected = complete_ == (type == MessageType::kProtectionLevel);
    if (!expected) return {Errc::kMalformed, "messages of the negotiation out of order"};
    return complete_ ? HandleLevel(token, output) : HandleToken(token, output);
  }

  void AppendAbort(Bytes* output) override {  // section 3.8: two octets without a length
    output->push_back(kFrameVersion);
    output->push_back(static_cast<uint8_t>(MessageType::kAbort));
  }

 private:
  Status HandleToken(ByteView token, Bytes* output) {
    // Only a server sends one of zero length (section 3.6). MIT would take it as a question for
    // SPNEGO's hints.
    if (token.empty()) return {Errc::kMalformed, "the client's GSS-API token is empty"};
    gss_buffer_desc in = GssInput(token);
    GssBuffer out;
    GssName source;
    OM_uint32 minor;
    OM_uint32 major = gss_accept_sec_context(
        &minor, context_.address(),
        options_.credential ? options_.credential->get() : GSS_C_NO_CREDENTIAL, &in,
        GSS_C_NO_CHANNEL_BINDINGS, source.address(), &mechanism_, out.get(), &granted_flags_,
        nullptr, nullptr);
    if (GSS_ERROR(major)) {
      return {Errc::kAuthentication, "GSS-API refused the client: " + GssErrorText(major, minor)};
    }
    complete_ = major == GSS_S_COMPLETE;
    if (complete_) {
      if (Status status = CheckFlags(); !status.ok()) return status;
      Describe(source.get());
    } else if (out.octets().empty()) {
      return {Errc::kAuthentication, "GSS-API made no token though it is not complete"};
    }
    // Section 3.6: without a token to send, one of zero length says "ready".
    return AppendMessage(output, MessageType::kAuthentication, out.octets());
  }

  // RFC 1961 section 3.2 obliges clients to ask for these; without them a replayed message would go
  // unnoticed. Whether a missing one does is ordered().
  Status CheckFlags() const {
    constexpr OM_uint32 kRequired = GSS_C_REPLAY_FLAG | GSS_C_INTEG_FLAG;
    if ((granted_flags_ & kRequired) != kRequired) {
      return {Errc::kPolicy, "the client's context has no replay detection or integrity"};
    }
    return {};
  }

  Status HandleLevel(ByteView token, Bytes* output) {
    const bool in_clear = options_.nec && token.size() == 1;
    uint8_t asked = 0;
    std::optional<uint64_t> next;
    if (in_clear) {
      asked = token[0];
    } else {
      auto level = UnwrapProtectionLevel(context_.get(), token);
      if (!level.ok()) return level.status();
      asked = level->level;
      if (options_.fast_path) next = level->next;
    }
    if (asked < 1 || asked > 3) {
      return {Errc::kMalformed, "the client asks for protection level " + std::to_string(asked)};
    }
    const ProtectionLevel level = Choose(static_cast<ProtectionLevel>(asked));
    if (level == ProtectionLevel::kNone) {
      return {Errc::kPolicy, "no accepted protection level is possible with this client"};
    }
    const auto octet = static_cast<uint8_t>(level);
    Status status;
    if (in_clear) {
      status = AppendMessage(output, MessageType::kProtectionLevel, {&octet, 1});
    } else {
      auto reply = WrapProtectionLevel(context_.get(), octet);
      if (!reply.ok()) return reply.status();
      status = AppendMessage(output, MessageType::kProtectionLevel, *reply);
    }
    if (!status.ok()) return status;
    return Establish(std::move(context_), level, options_.max_token, next);
  }

  // What the client asks for if it is accepted; else, and for "selective", the best that is. A
  // client that did not ask for "selective" cannot be given it.
  ProtectionLevel Choose(ProtectionLevel asked) const {
    auto possible = [&](ProtectionLevel level) {
      return level != ProtectionLevel::kConfidentiality || (granted_flags_ & GSS_C_CONF_FLAG) != 0;
    };
    ProtectionLevel best = ProtectionLevel::kNone;
    for (ProtectionLevel level : options_.levels) {
      if (!possible(level)) continue;
      if (level == asked) return level;
      if (level == ProtectionLevel::kSelective) continue;
      best = std::max(best, level);
    }
    return best;
  }

  void Describe(gss_name_t source) {
    OM_uint32 minor;
    GssName target;
    summary_.client_principal = GssDisplayName(source);
    if (!GSS_ERROR(gss_inquire_context(&minor, context_.get(), nullptr, target.address(), nullptr,
                                       nullptr, nullptr, nullptr, nullptr))) {
      summary_.server_principal = GssDisplayName(target.get());
    }
    summary_.mechanism = DescribeMechanism(context_.get(), mechanism_);
  }

  const GssAcceptorOptions options_;
  GssContext context_;
  gss_OID mechanism_ = GSS_C_NO_OID;  // static storage of the mechanism
  OM_uint32 granted_flags_ = 0;
  bool complete_ = false;
};

}  // namespace

Result<std::shared_ptr<const GssAcceptorCredential>> AcquireGssAcceptorCredential(
    const std::string& keytab, const std::string& service) {
  const std::string where = keytab.empty() ? "the default keytab" : "keytab " + keytab;
  OM_uint32 major, minor;
  GssName name;
  if (!service.empty()) {
    const bool is_principal = service.find('/') != std::string::npos;
    gss_buffer_desc text = GssInput(AsBytes(service));
    major = gss_import_name(&minor, &text, is_principal ? GSS_C_NO_OID : GSS_C_NT_HOSTBASED_SERVICE,
                            name.address());
    if (GSS_ERROR(major)) {
      return {Errc::kConfig,
              "cannot read the service name '" + service + "': " + GssErrorText(major, minor)};
    }
  }
  gss_key_value_element_desc element = {"keytab", keytab.c_str()};
  const gss_key_value_set_desc store = {keytab.empty() ? 0u : 1u, &element};
  gss_OID_desc mechanisms[] = {kKerberosMechanism, kSpnegoMechanism};
  gss_OID_set_desc set = {2, mechanisms};
  GssCredential credential;
  major = gss_acquire_cred_from(&minor, name.get(), GSS_C_INDEFINITE, &set, GSS_C_ACCEPT, &store,
                                credential.address(), nullptr, nullptr);
  if (GSS_ERROR(major)) {
    return {Errc::kCredentials, "no key" + (service.empty() ? "" : " for " + service) + " in " +
                                    where + ": " + GssErrorText(major, minor)};
  }
  HoldKerberosConfiguration();
  return std::shared_ptr<const GssAcceptorCredential>(
      std::make_shared<GssAcceptorCredential>(std::move(credential)));
}

std::unique_ptr<SecurityLayer> NewGssAcceptor(GssAcceptorOptions options) {
  return std::make_unique<GssAcceptor>(std::move(options));
}

}  // namespace socksify
