#include "lib/config/hosts.h"

#include <algorithm>

#include "lib/config/text.h"

namespace socksify {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// The next word of the line, "" at its end or where a comment begins.
std::string_view TakeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const size_t end = std::min(line.find_first_of(" \t\r#"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool Same(std::string_view one, std::string_view lower) {
  if (one.ends_with('.')) one.remove_suffix(1);
  return std::ranges::equal(one, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
  });
}

// Calls `visit(address, names)` for each line, until it says false.
template <typename Visitor>
void ForEachLine(std::string_view hosts, Visitor visit) {
  while (!hosts.empty()) {
    const size_t end = std::min(hosts.find('\n'), hosts.size());
    std::string_view line = hosts.substr(0, end);
    hosts.remove_prefix(std::min(end + 1, hosts.size()));
    const std::string_view address = TakeWord(line);
    if (!address.empty() && !visit(address, line)) return;
  }
}

}  // namespace

std::optional<Host> FindHost(std::string_view hosts, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string wanted = LowerCase(name);
  std::optional<Host> found;
  ForEachLine(hosts, [&](std::string_view address, std::string_view names) {
    const std::string_view first = TakeWord(names);
    for (std::string_view word = first; !word.empty(); word = TakeWord(names)) {
      if (!Same(word, wanted)) continue;
      const std::optional<Address> ip = ParseIp(address);
      if (!ip) break;
      if (!found) found = Host{std::string(first), {}};
      if (std::ranges::find(found->addresses, *ip) == found->addresses.end()) {
        found->addresses.push_back(*ip);
      }
      break;
    }
    return true;
  });
  return found;
}

std::optional<std::string> FindHostName(std::string_view hosts, const Address& address) {
  Address wanted = address;
  wanted.port = 0;
  std::optional<std::string> found;
  ForEachLine(hosts, [&](std::string_view text, std::string_view names) {
    const std::string_view first = TakeWord(names);
    if (first.empty() || ParseIp(text) != wanted) return true;
    found = first;
    return false;
  });
  return found;
}

}  // namespace socksify
