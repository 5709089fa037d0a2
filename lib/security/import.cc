#include "lib/security/gss_base.h"
#include "lib/security/security_layer.h"
#include "lib/security/ssl_base.h"

namespace socksify {

// The first octet says which method's session it is.
Result<std::unique_ptr<SecurityLayer>> ImportSecurityLayer(ByteView state) {
  constexpr uint8_t kSsl = 2;
  return !state.empty() && state[0] == kSsl ? ImportSslLayer(state) : ImportGssLayer(state);
}

}  // namespace socksify
