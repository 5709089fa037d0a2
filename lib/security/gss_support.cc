#include "lib/security/gss_support.h"

#include <krb5/krb5.h>

namespace socksify {

const gss_OID_desc kKerberosMechanism = {9,
                                         const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")};
const gss_OID_desc kSpnegoMechanism = {6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};

namespace {

void AppendMessages(std::string& text, OM_uint32 code, int type) {
  OM_uint32 more = 0;
  do {
    OM_uint32 minor;
    GssBuffer message;
    if (GSS_ERROR(gss_display_status(&minor, code, type, GSS_C_NO_OID, &more, message.get())))
      return;
    if (!text.empty()) text += "; ";
    text += AsText(message.octets());
  } while (more != 0);
}

// The supplementary statuses: the call succeeded, but the message's place in the stream is wrong.
// The mechanism's minor status says "Success" then.
const char* SupplementaryText(OM_uint32 major) {
  if ((major & GSS_S_DUPLICATE_TOKEN) != 0) return "a duplicate token";
  if ((major & GSS_S_OLD_TOKEN) != 0) return "a token too old to be checked for being a duplicate";
  if ((major & GSS_S_UNSEQ_TOKEN) != 0) return "a token out of sequence";
  if ((major & GSS_S_GAP_TOKEN) != 0) return "a token is missing before this one";
  return nullptr;
}

}  // namespace

void HoldKerberosConfiguration() {
  static krb5_context held = nullptr;  // never freed
  [[maybe_unused]] static const krb5_error_code error = krb5_init_context(&held);
}

std::string GssErrorText(OM_uint32 major, OM_uint32 minor) {
  if (!GSS_ERROR(major)) {
    if (const char* text = SupplementaryText(major)) return text;
  }
  std::string text;
  if (minor != 0) AppendMessages(text, minor, GSS_C_MECH_CODE);  // the specific cause is enough
  if (text.empty()) AppendMessages(text, major, GSS_C_GSS_CODE);
  return text;
}

bool IsUnknownService(OM_uint32 minor) {
  return minor == static_cast<OM_uint32>(KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN) ||
         minor == static_cast<OM_uint32>(KRB5KDC_ERR_MUST_USE_USER2USER);
}

Status InitiatorError(OM_uint32 major, OM_uint32 minor, const std::string& target) {
  std::string text = GssErrorText(major, minor);
  if (GSS_ROUTINE_ERROR(major) == GSS_S_CREDENTIALS_EXPIRED ||
      minor == static_cast<OM_uint32>(KRB5KRB_AP_ERR_TKT_EXPIRED)) {
    return {Errc::kCredentials,
            "the Kerberos ticket has expired (" + text + "); get a new one with kinit"};
  }
  if (GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED ||
      minor == static_cast<OM_uint32>(KRB5_FCC_NOFILE) ||
      minor == static_cast<OM_uint32>(KRB5_CC_NOTFOUND)) {
    return {Errc::kCredentials, "no Kerberos ticket (" + text + "); get one with kinit"};
  }
  if (IsUnknownService(minor)) {
    return {Errc::kCredentials, "the realm knows no service " + target + " (" + text +
                                    "); see --server and --gss-service"};
  }
  if (minor == static_cast<OM_uint32>(KRB5_KDC_UNREACH)) {
    return {Errc::kCredentials, "the Kerberos KDC cannot be reached (" + text + ")"};
  }
  return {Errc::kAuthentication, "GSS-API with " + target + " failed: " + text};
}

std::string GssDisplayName(gss_name_t name) {
  if (name == GSS_C_NO_NAME) return {};
  OM_uint32 minor;
  GssBuffer text;
  if (GSS_ERROR(gss_display_name(&minor, name, text.get(), nullptr))) return {};
  return std::string(AsText(text.octets()));
}

}  // namespace socksify
