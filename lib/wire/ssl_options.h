// The options of the SSL method, draft-ietf-aft-socks-ssl-00 "SSL specific options": a list that
// the client offers and of which the server answers a part. Same conventions as socks5.h.
#ifndef LIB_WIRE_SSL_OPTIONS_H_
#define LIB_WIRE_SSL_OPTIONS_H_

#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/socks5.h"

namespace socksify {

enum class SslOption : uint8_t { kSubauthentication = 0x01, kUdpNaked = 0x10 };

struct SslOptions {  // LEN OPTIONS
  std::vector<SslOption> options;

  bool Has(SslOption option) const;
};
void AppendSslOptions(Bytes& to, const SslOptions& options);  // at most 255
Result<Parsed<SslOptions>> ParseSslOptions(ByteView octets);  // never fails

}  // namespace socksify

#endif  // LIB_WIRE_SSL_OPTIONS_H_
