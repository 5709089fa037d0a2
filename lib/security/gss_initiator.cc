// The client's side of RFC 1961.
#include <algorithm>
#include <cctype>
#include <utility>

#include "lib/security/gss_base.h"
#include "lib/security/gss_held_credential.h"
#include "lib/security/gss_layer.h"

namespace socksify {
namespace {

class GssInitiator final : public GssLayer {
 public:
  explicit GssInitiator(GssInitiatorOptions options) : options_(std::move(options)) {}

  Status Prepare() override {
    const LibraryGate gate;
    if (stage_ != Stage::kStart) return prepared_;
    stage_ = Stage::kContext;
    prepared_ = FirstToken();
    return prepared_;
  }

 protected:
  Status Begin(Bytes* output) override {
    if (Status status = Prepare(); !status.ok()) return status;
    return SendToken(std::exchange(first_token_, {}), output);
  }

  Status HandleMessage(MessageType type, ByteView token, Bytes* output) override {
    if (type == MessageType::kAuthentication) return HandleToken(token, output);
    if (stage_ != Stage::kLevel) {
      return {Errc::kMalformed, "a protection level came before the GSS-API context was complete"};
    }
    return HandleLevel(token);
  }

 private:
  enum class Stage { kStart, kContext, kAcknowledgement, kLevel };

  // RFC 1961 section 3.1: the names are tried in order; the realm says which of them exists.
  Status FirstToken() {
    Status last(Errc::kConfig, "no GSS-API service name is configured");
    for (const std::string& service : options_.services) {
      if (Status status = ImportTarget(service); !status.ok()) return status;
      OM_uint32 minor, major = GSS_S_NO_CRED;
      const auto held = kerberos() ? HeldCredential::Find(target_text_) : nullptr;
      context_.Reset();
      if (held != nullptr) major = InitContext({}, &first_token_, &minor, held->get());
      held_ = !GSS_ERROR(major);
      if (!held_) {
        if (held != nullptr) HeldCredential::Drop(target_text_);
        context_.Reset();
        major = InitContext({}, &first_token_, &minor);
      }
      if (!GSS_ERROR(major)) {
        complete_ = major == GSS_S_COMPLETE;
        return {};
      }
      last = InitiatorError(major, minor, target_text_);
      if (!IsUnknownService(minor)) return last;
    }
    return last;
  }

  Status ImportTarget(const std::string& service) {
    const bool is_principal = service.find('/') != std::string::npos;
    std::string host = options_.server_host;
    std::transform(host.begin(), host.end(), host.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    target_text_ = is_principal ? service : service + "@" + host;
    gss_buffer_desc text = GssInput(AsBytes(target_text_));
    OM_uint32 minor;
    target_.Reset();
    OM_uint32 major = gss_import_name(
        &minor, &text, is_principal ? GSS_C_NO_OID : GSS_C_NT_HOSTBASED_SERVICE, target_.address());
    if (!GSS_ERROR(major)) return {};
    return {Errc::kConfig, "GSS-API cannot read the service name '" + target_text_ +
                               "': " + GssErrorText(major, minor)};
  }

  bool kerberos() const { return options_.mechanism == GssInitiatorOptions::Mechanism::kKerberos; }

  OM_uint32 InitContext(ByteView input, Bytes* output, OM_uint32* minor,
                        gss_cred_id_t credential = GSS_C_NO_CREDENTIAL) {
    OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
    if (options_.ordered) flags |= GSS_C_SEQUENCE_FLAG;
    switch (options_.delegate) {
      case GssInitiatorOptions::Delegate::kPolicy:
        flags |= GSS_C_DELEG_POLICY_FLAG;
        break;
      case GssInitiatorOptions::Delegate::kAlways:
        flags |= GSS_C_DELEG_FLAG;
        break;
      case GssInitiatorOptions::Delegate::kNever:
        break;
    }
    gss_OID mechanism = const_cast<gss_OID>(kerberos() ? &kKerberosMechanism : &kSpnegoMechanism);
    gss_buffer_desc in = GssInput(input);
    GssBuffer out;
    OM_uint32 major = gss_init_sec_context(
        minor, credential, context_.address(), target_.get(), mechanism, flags, GSS_C_INDEFINITE,
        GSS_C_NO_CHANNEL_BINDINGS, &in, &mechanism_, out.get(), &granted_flags_, &lifetime_);
    output->assign(out.octets().begin(), out.octets().end());
    return major;
  }

  Status HandleToken(ByteView token, Bytes* output) {
    if (stage_ == Stage::kAcknowledgement) {  // section 3.6: "ready to receive", of zero length
      if (!token.empty()) {
        return {Errc::kMalformed, "a GSS-API token came after the context was complete"};
      }
      return SendLevel(output);
    }
    if (stage_ == Stage::kLevel) {
      // Tolerated once: a server that acknowledges although it had a token to send.
      if (token.empty() && !std::exchange(stray_seen_, true)) return {};
      return {Errc::kMalformed, "a GSS-API token came instead of the protection level"};
    }
    Bytes reply;
    OM_uint32 minor;
    OM_uint32 major = InitContext(token, &reply, &minor);
    if (GSS_ERROR(major)) {
      // The peer's proof of identity is what failed; our credentials were good enough to begin.
      return {Errc::kAuthentication,
              "GSS-API with " + target_text_ + " failed: " + GssErrorText(major, minor)};
    }
    complete_ = major == GSS_S_COMPLETE;
    return SendToken(std::move(reply), output);
  }

  Status SendToken(Bytes token, Bytes* output) {
    if (!token.empty()) {
      if (Status status = AppendMessage(output, MessageType::kAuthentication, token);
          !status.ok()) {
        return status;
      }
      if (complete_) stage_ = Stage::kAcknowledgement;
      return {};
    }
    if (complete_) return SendLevel(output);
    return {Errc::kAuthentication, "GSS-API made no token though it is not complete"};
  }

  Status SendLevel(Bytes* output) {
    if (Status status = CheckFlags(); !status.ok()) return status;
    Describe();
    stage_ = Stage::kLevel;
    const auto level = static_cast<uint8_t>(options_.level);
    if (options_.nec) return AppendMessage(output, MessageType::kProtectionLevel, {&level, 1});
    auto token = WrapProtectionLevel(context_.get(), level);
    if (!token.ok()) return token.status();
    return AppendMessage(output, MessageType::kProtectionLevel, *token);
  }

  Status HandleLevel(ByteView token) {
    uint8_t octet = 0;
    std::optional<uint64_t> next;
    if (options_.nec) {
      if (token.size() != 1) {
        return {Errc::kMalformed, "the protection level is not one octet; is the server not NEC?"};
      }
      octet = token[0];
    } else {
      auto level = UnwrapProtectionLevel(context_.get(), token);
      if (!level.ok()) return level.status();
      octet = level->level;
      if (options_.fast_path) next = level->next;
    }
    if (!Acceptable(octet)) {
      return {Errc::kPolicy, "the server wants protection level " + std::to_string(octet) +
                                 ", not " + ProtectionLevelName(options_.level) +
                                 "; see --protection"};
    }
    // To delegate, the library asks the KDC each time, under the credential's lock.
    if (kerberos() && !held_ && (granted_flags_ & GSS_C_DELEG_FLAG) == 0)
      HeldCredential::Acquire(target_text_, lifetime_);
    return Establish(std::move(context_), static_cast<ProtectionLevel>(octet), options_.max_token,
                     next);
  }

  // What was asked for is also the least accepted.
  bool Acceptable(uint8_t level) const {
    switch (options_.level) {
      case ProtectionLevel::kIntegrity:
        return level == 1 || level == 2;
      case ProtectionLevel::kConfidentiality:
        return level == 2;
      case ProtectionLevel::kSelective:
        return level >= 1 && level <= 3;
      case ProtectionLevel::kNone:
        break;
    }
    return false;
  }

  // The context must really have what was asked for.
  Status CheckFlags() const {
    static constexpr struct {
      OM_uint32 flag;
      const char* name;
    } kRequired[] = {
        {GSS_C_MUTUAL_FLAG, "mutual authentication"}, {GSS_C_REPLAY_FLAG, "replay detection"},
        {GSS_C_SEQUENCE_FLAG, "sequence detection"},  {GSS_C_INTEG_FLAG, "integrity"},
        {GSS_C_CONF_FLAG, "confidentiality"},
    };
    for (const auto& required : kRequired) {
      const bool needed = required.flag == GSS_C_CONF_FLAG
                              ? options_.level != ProtectionLevel::kIntegrity
                          : required.flag == GSS_C_SEQUENCE_FLAG ? options_.ordered
                                                                 : true;
      if (needed && (granted_flags_ & required.flag) == 0) {
        return {Errc::kPolicy, "GSS-API with " + target_text_ + " gives no " + required.name};
      }
    }
    return {};
  }

  void Describe() {
    OM_uint32 minor;
    GssName source, target;
    if (!GSS_ERROR(gss_inquire_context(&minor, context_.get(), source.address(), target.address(),
                                       nullptr, nullptr, nullptr, nullptr, nullptr))) {
      summary_.client_principal = GssDisplayName(source.get());
      summary_.server_principal = GssDisplayName(target.get());
    }
    summary_.mechanism = DescribeMechanism(context_.get(), mechanism_);
  }

  const GssInitiatorOptions options_;
  Stage stage_ = Stage::kStart;
  GssName target_;
  std::string target_text_;
  GssContext context_;
  gss_OID mechanism_ = GSS_C_NO_OID;  // static storage of the mechanism
  OM_uint32 granted_flags_ = 0;
  OM_uint32 lifetime_ = 0;  // of the context, as of the ticket, in seconds
  bool held_ = false;       // made with a credential that was at hand
  bool complete_ = false;
  bool stray_seen_ = false;
  Bytes first_token_;
  Status prepared_;
};

}  // namespace

std::unique_ptr<SecurityLayer> NewGssInitiator(GssInitiatorOptions options) {
  return std::make_unique<GssInitiator>(std::move(options));
}

}  // namespace socksify
