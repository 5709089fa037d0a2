// Names that the SOCKS server resolves, and the addresses that stand for them here: 198.18.0.0/15
// and, for programs that want IPv6, 2001:db8:198:18::/64 with the same number in the last octets.
//
// The map is a file that all processes of one run have mapped (SOCKSIFY_RUN names the run), so that
// a parent may resolve and a child connect. An entry is written once and stays for the life of the
// run. No lock: entries are claimed with a compare-and-swap. Any thread.
#ifndef SHIM_NAME_MAP_H_
#define SHIM_NAME_MAP_H_

#include <optional>
#include <string>
#include <string_view>

#include "lib/wire/address.h"

namespace socksify {

class NameMap {
 public:
  // The address that stands for `name` (1 to 255 octets, of any case), IPv4 or IPv6, port 0.
  // nullopt when the map is full, or the disk. Blocks on the disk the first time.
  static std::optional<Address> AddressFor(std::string_view name, AddressType type);

  // Does this address stand for a name, or could it?
  static bool IsInRange(const Address& address);
  // The name in lower case, if the address stands for one.
  static std::optional<std::string> NameOf(const Address& address);
};

}  // namespace socksify

#endif  // SHIM_NAME_MAP_H_
