#include "lib/security/ssl_base.h"
#include "lib/security/ssl_session.h"

namespace socksify {
Status SslSession::Export(Bytes*, Bytes*) { return {Errc::kUnsupported, "not yet"}; }
Result<Bytes> SslLayer::Export() { return {Errc::kUnsupported, "not yet"}; }
}  // namespace socksify
