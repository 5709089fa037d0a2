// /etc/hosts, as hosts(5) describes it: an address, its name, other names. Pure functions over the
// file's text; names compare without regard to case and to a final dot.
#ifndef LIB_CONFIG_HOSTS_H_
#define LIB_CONFIG_HOSTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/wire/address.h"

namespace socksify {

struct Host {
  std::string name;                // the first of the first line that has the name asked for
  std::vector<Address> addresses;  // of all lines that have it, each once
};

std::optional<Host> FindHost(std::string_view hosts, std::string_view name);
std::optional<std::string> FindHostName(std::string_view hosts, const Address& address);

}  // namespace socksify

#endif  // LIB_CONFIG_HOSTS_H_
