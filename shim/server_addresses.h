// What the names of the configured servers stand for, resolved once for the whole process: kept for
// a minute, as DNS would, or until nothing answers there.
#ifndef SHIM_SERVER_ADDRESSES_H_
#define SHIM_SERVER_ADDRESSES_H_

#include <cstddef>
#include <vector>

#include "lib/wire/address.h"

namespace socksify {

class ServerAddresses {
 public:
  // Of the server with that place in the configuration; none: it has to be resolved.
  static std::vector<Address> Known(size_t server);
  static void Note(size_t server, const std::vector<Address>& addresses);
  static void Forget(size_t server);
};

}  // namespace socksify

#endif  // SHIM_SERVER_ADDRESSES_H_
