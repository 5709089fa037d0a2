// Who answers for a name, and for an address: a stand-in, /etc/hosts, or libc's own resolver. What
// the resolver's calls and the DNS stub have in common.
#ifndef SHIM_NAMES_H_
#define SHIM_NAMES_H_

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "lib/config/hosts.h"
#include "lib/wire/address.h"

namespace socksify {

struct NameSource {
  enum class Kind : unsigned char {
    kStandIn,  // the SOCKS server resolves it; here an address of the NameMap stands for it
    kHosts,    // this machine knows it: /etc/hosts, or localhost (RFC 6761)
    kLibc,     // numeric, bypassed, or --dns local: the local resolver
  };
  Kind kind = Kind::kStandIn;
  Host host;  // kHosts
};

// An unusable configuration resolves nothing: all names are stand-ins then. Bypassed names of
// /etc/hosts are remembered, so that connect() knows their addresses again.
NameSource SourceOf(std::string_view name);

// Can this be asked of a SOCKS server? As the resolver would have it: no empty label, none over 63
// octets, none with an octet that no host's name has.
bool IsAskable(std::string_view name);

// Without its final dot, which says that it is absolute: all names are, to the server.
std::string_view Relative(std::string_view name);

// The name of an address: known here, to be asked of libc, or not to be asked of anybody.
struct AddressSource {
  enum class Kind : unsigned char { kKnown, kLibc, kUnknown };
  Kind kind = Kind::kLibc;
  std::string name;  // kKnown
};
AddressSource SourceOf(const sockaddr* address, socklen_t length);

}  // namespace socksify

#endif  // SHIM_NAMES_H_
