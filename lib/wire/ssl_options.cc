#include "lib/wire/ssl_options.h"

#include <algorithm>

namespace socksify {

bool SslOptions::Has(SslOption option) const { return std::ranges::count(options, option) != 0; }

void AppendSslOptions(Bytes& to, const SslOptions& options) {
  const size_t count = std::min<size_t>(options.options.size(), 255);
  to.push_back(static_cast<uint8_t>(count));
  for (size_t i = 0; i < count; i++) to.push_back(static_cast<uint8_t>(options.options[i]));
}

Result<Parsed<SslOptions>> ParseSslOptions(ByteView octets) {
  using Found = Parsed<SslOptions>;
  if (octets.empty()) return Found::Needs(1);
  const size_t size = 1 + size_t{octets[0]};
  if (octets.size() < size) return Found::Needs(size - octets.size());
  Found found;
  found.size = size;
  for (uint8_t octet : octets.subspan(1, octets[0])) {
    found.message.options.push_back(static_cast<SslOption>(octet));
  }
  return found;
}

}  // namespace socksify
