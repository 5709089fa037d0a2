// What can be learnt from the variables that other programs share: SOCKS5_SERVER, SOCKS_SERVER,
// ALL_PROXY, all_proxy, NO_PROXY, no_proxy.
#ifndef LIB_CONFIG_GENERIC_H_
#define LIB_CONFIG_GENERIC_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace socksify {

// Reads one environment variable; null when it is not set. The text is borrowed for the call only.
using EnvironmentLookup = std::function<const char*(const char* name)>;

struct GenericServer {
  std::string variable;  // which one it was
  std::string server;    // HOST[:PORT], for the setting's own parser to judge
  std::string user;      // percent-decoded; empty when the URL has none
  Secret password;
};

// The first of SOCKS5_SERVER, SOCKS_SERVER, ALL_PROXY and all_proxy that is set and names a SOCKS 5
// server. Proxy URLs of other schemes are another program's business and are passed over; kConfig
// for a socks5:// or socks5h:// URL that is wrong. The message never quotes it: it may hold a
// password.
Result<std::optional<GenericServer>> FindGenericServer(const EnvironmentLookup& lookup);

struct GenericBypass {
  std::string variable;
  std::string list;  // for BypassRules::Parse
};

// NO_PROXY or no_proxy, whichever is set first and is not empty. "example.com" there also means
// what ends in ".example.com", as curl and wget take it. Items that are no bypass rule ("*" too)
// are dropped: those destinations then go through the server, which is the safe side.
std::optional<GenericBypass> FindGenericBypass(const EnvironmentLookup& lookup);

}  // namespace socksify

#endif  // LIB_CONFIG_GENERIC_H_
