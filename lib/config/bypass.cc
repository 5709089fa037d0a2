#include "lib/config/bypass.h"

#include <algorithm>
#include <optional>

#include "lib/config/text.h"

namespace socksify {
namespace {

constexpr uint8_t kMappedBits = 96;  // the length of ::ffff:0:0/96, where IPv4 lives

struct Mapped {
  std::array<uint8_t, 16> ip;
  bool ipv4;
};

Mapped MapToV6(const Address& address) {
  if (address.type == AddressType::kIpv6) return {address.ip, false};
  Mapped mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, true};
  std::ranges::copy(address.ip_octets(), mapped.ip.begin() + 12);
  return mapped;
}

bool IsIpv4(const BypassRule& rule) {
  Mapped mapped = MapToV6(Address::Ipv4({}, 0));
  return rule.prefix >= kMappedBits &&
         std::equal(mapped.ip.begin(), mapped.ip.begin() + 12, rule.network.begin());
}

void MaskBehindPrefix(std::array<uint8_t, 16>& ip, uint8_t prefix) {
  for (size_t i = 0; i < ip.size(); i++) {
    const int bits = std::clamp(prefix - static_cast<int>(8 * i), 0, 8);
    ip[i] = static_cast<uint8_t>(ip[i] & (0xff00 >> bits));
  }
}

std::string_view WithoutFinalDot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool NameMatches(const BypassRule& rule, std::string_view name) {
  const std::string wanted = LowerCase(WithoutFinalDot(name));
  switch (rule.kind) {
    case BypassRule::Kind::kName:
      return wanted == rule.name;
    case BypassRule::Kind::kSuffix:
      return wanted.size() > rule.name.size() && wanted.ends_with(rule.name);
    case BypassRule::Kind::kNetwork:
      break;
  }
  return false;
}

bool NetworkMatches(const BypassRule& rule, const Address& address) {
  if (rule.kind != BypassRule::Kind::kNetwork) return false;
  Mapped mapped = MapToV6(address);
  // A short IPv6 prefix such as ::/0 covers the mapped range by its bits, but nobody who writes it
  // means IPv4.
  if (mapped.ipv4 != IsIpv4(rule)) return false;
  MaskBehindPrefix(mapped.ip, rule.prefix);
  return mapped.ip == rule.network;
}

bool HostMatches(const BypassRule& rule, const Address& destination) {
  if (destination.type == AddressType::kName) return NameMatches(rule, destination.name);
  return NetworkMatches(rule, destination);
}

// An item cut into its parts: HOST, HOST:PORT, NET/BITS, NET/BITS:PORT; IPv6 bare or in brackets,
// with /BITS inside of them or behind.
struct Parts {
  std::string_view host, bits, port;
  bool has_bits = false, has_port = false;
};

std::optional<Parts> Cut(std::string_view item) {
  Parts parts;
  std::string_view rest;  // behind the host
  if (item.starts_with('[')) {
    const size_t close = item.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = item.substr(1, close - 1);
    rest = item.substr(close + 1);
    if (const size_t slash = parts.host.find('/'); slash != std::string_view::npos) {
      parts.has_bits = true;
      parts.bits = parts.host.substr(slash + 1);
      parts.host = parts.host.substr(0, slash);
    }
    if (parts.host.find(':') == std::string_view::npos) return std::nullopt;
  } else {
    const bool ipv6 = std::ranges::count(item.substr(0, item.find('/')), ':') > 1;
    const size_t end = std::min(item.find_first_of(ipv6 ? "/" : "/:"), item.size());
    parts.host = item.substr(0, end);
    rest = item.substr(end);
  }
  if (rest.starts_with('/')) {
    if (parts.has_bits) return std::nullopt;
    const size_t end = std::min(rest.find(':'), rest.size());
    parts.has_bits = true;
    parts.bits = rest.substr(1, end - 1);
    rest = rest.substr(end);
  }
  if (rest.starts_with(':')) {
    parts.has_port = true;
    parts.port = rest.substr(1);
    rest = {};
  }
  if (!rest.empty() || parts.host.empty()) return std::nullopt;
  return parts;
}

std::optional<BypassRule> ParseRule(std::string_view item) {
  std::optional<Parts> parts = Cut(item);
  if (!parts) return std::nullopt;
  BypassRule rule;
  if (parts->has_port) {
    std::optional<uint16_t> port = ParsePort(parts->port);
    if (!port) return std::nullopt;
    rule.port = *port;
  }
  if (std::optional<Address> ip = ParseIp(parts->host)) {
    const Mapped mapped = MapToV6(*ip);
    // ::ffff:10.0.0.0/104 is written with the 128 bits in mind, 10.0.0.0/8 with the 32.
    const bool short_form = parts->host.find(':') == std::string_view::npos;
    rule.kind = BypassRule::Kind::kNetwork;
    rule.prefix = 128;
    if (parts->has_bits) {
      std::optional<uint32_t> bits = ParseNumber(parts->bits, short_form ? 32 : 128);
      if (!bits) return std::nullopt;
      rule.prefix = static_cast<uint8_t>(*bits + (short_form ? kMappedBits : 0));
    }
    rule.network = mapped.ip;
    MaskBehindPrefix(rule.network, rule.prefix);
    return rule;
  }
  if (parts->has_bits) return std::nullopt;
  rule.kind = parts->host.starts_with('.') ? BypassRule::Kind::kSuffix : BypassRule::Kind::kName;
  std::string_view name = parts->host.substr(rule.kind == BypassRule::Kind::kSuffix ? 1 : 0);
  if (!IsHostName(name)) return std::nullopt;
  rule.name = LowerCase(WithoutFinalDot(parts->host));
  return rule;
}

std::string RuleText(const BypassRule& rule) {
  std::string text = rule.name;
  if (rule.kind == BypassRule::Kind::kNetwork) {
    const bool ipv4 = IsIpv4(rule);
    Address address;
    address.type = ipv4 ? AddressType::kIpv4 : AddressType::kIpv6;
    std::copy(rule.network.begin() + (ipv4 ? 12 : 0), rule.network.end(), address.ip.begin());
    text = address.Host();
    if (!ipv4 && rule.port != 0) text = "[" + text + "]";
    if (rule.prefix < 128) text += "/" + std::to_string(rule.prefix - (ipv4 ? kMappedBits : 0));
  }
  if (rule.port != 0) text += ":" + std::to_string(rule.port);
  return text;
}

}  // namespace

Result<BypassRules> BypassRules::Parse(std::string_view list) {
  BypassRules rules;
  for (std::string_view item : SplitList(list)) {
    std::optional<BypassRule> rule = ParseRule(item);
    if (!rule) {
      return {Errc::kConfig,
              "'" + std::string(item) +
                  "' is no name, .suffix, address or network with an optional :port"};
    }
    rules.rules_.push_back(std::move(*rule));
  }
  return rules;
}

bool BypassRules::Matches(const Address& destination) const {
  return std::ranges::any_of(rules_, [&](const BypassRule& rule) {
    return (rule.port == 0 || rule.port == destination.port) && HostMatches(rule, destination);
  });
}

bool BypassRules::MatchesWithPort(const Address& destination) const {
  return std::ranges::any_of(rules_, [&](const BypassRule& rule) {
    return rule.port != 0 && rule.port == destination.port && HostMatches(rule, destination);
  });
}

bool BypassRules::MentionsName(std::string_view name) const {
  return std::ranges::any_of(rules_,
                             [&](const BypassRule& rule) { return NameMatches(rule, name); });
}

bool BypassRules::IsOnlyLoopback() const {
  return std::ranges::all_of(rules_, [](const BypassRule& rule) {
    if (rule.kind != BypassRule::Kind::kNetwork) return rule.name == "localhost";
    if (IsIpv4(rule)) return rule.prefix >= kMappedBits + 8 && rule.network[12] == 127;
    std::array<uint8_t, 16> loopback = {};
    loopback[15] = 1;
    return rule.prefix == 128 && rule.network == loopback;
  });
}

std::string BypassRules::ToString() const {
  std::string list;
  for (const BypassRule& rule : rules_) {
    if (!list.empty()) list += ",";
    list += RuleText(rule);
  }
  return list;
}

}  // namespace socksify
