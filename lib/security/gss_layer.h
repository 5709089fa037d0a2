// The GSS-API method of SOCKS 5 (RFC 1961): context establishment, protection-level subnegotiation
// and per-message protection, for both roles. Kerberos and SPNEGO; any number of legs.
#ifndef LIB_SECURITY_GSS_LAYER_H_
#define LIB_SECURITY_GSS_LAYER_H_

#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/security/security_layer.h"
#include "lib/wire/frame.h"

namespace socksify {

struct GssInitiatorOptions {
  enum class Delegate : uint8_t { kPolicy, kAlways, kNever };
  enum class Mechanism : uint8_t { kKerberos, kSpnego };

  std::string server_host = {};  // of the SOCKS server, as the user named it
  std::vector<std::string> services = {"socks", "rcmd"};  // tried in order; with '/': a principal
  ProtectionLevel level = ProtectionLevel::kConfidentiality;  // asked for, and the least accepted
  Delegate delegate = Delegate::kPolicy;
  Mechanism mechanism = Mechanism::kKerberos;
  bool nec = false;                  // protection level in clear
  bool ordered = true;               // RFC 1961 section 6: not for UDP ASSOCIATE
  size_t max_token = kMaxTokenSize;  // longest token sent; SS5 takes 16192 only
};

// The initiator uses the process's default credentials. Prepare() may block on the KDC.
std::unique_ptr<SecurityLayer> NewGssInitiator(GssInitiatorOptions options);

// The keys a server accepts with. Acquired once, shared by all its connections, thread-safe.
class GssAcceptorCredential;
// `keytab`: a file name, empty for the default keytab. `service`: "socks", empty for any key.
// kCredentials says which of it cannot be used.
Result<std::shared_ptr<const GssAcceptorCredential>> AcquireGssAcceptorCredential(
    const std::string& keytab, const std::string& service);

struct GssAcceptorOptions {
  std::shared_ptr<const GssAcceptorCredential> credential = nullptr;  // null: the default
  std::vector<ProtectionLevel> levels = {ProtectionLevel::kConfidentiality,
                                         ProtectionLevel::kIntegrity};  // accepted, best first
  bool nec = false;                  // also take the protection level in clear
  size_t max_token = kMaxTokenSize;  // longest token sent
};
std::unique_ptr<SecurityLayer> NewGssAcceptor(GssAcceptorOptions options);

}  // namespace socksify

#endif  // LIB_SECURITY_GSS_LAYER_H_
