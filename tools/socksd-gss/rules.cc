#include "tools/socksd-gss/rules.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lib/config/text.h"

namespace socksify {
namespace {

// Where the ":PORT" of a rule starts; npos when it has none. IPv6 has one only behind brackets or a
// prefix length.
size_t PortAt(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find(':') == colon) return colon;
  const size_t bracket = text.rfind(']');
  const size_t slash = text.rfind('/');
  const bool behind = (bracket != std::string_view::npos && bracket < colon) ||
                      (slash != std::string_view::npos && slash < colon);
  return behind ? colon : std::string_view::npos;
}

}  // namespace

Address Effective(const Address& address) {
  if (!address.IsUnspecified()) return address;
  if (address.type == AddressType::kIpv4) return Address::Ipv4({127, 0, 0, 1}, address.port);
  return Address::Ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, address.port);
}

Status TargetRules::Add(bool allow, std::string_view text) {
  Rule rule = {allow, false, {}, 0, 65535};
  Status wrong(Errc::kConfig, "'" + std::string(text) +
                                  "' is no network, address, name or .suffix with an optional "
                                  ":PORT or :FIRST-LAST");
  std::string_view target = text;
  if (const size_t colon = PortAt(text); colon != std::string_view::npos) {
    const std::string_view ports = text.substr(colon + 1);
    const size_t dash = ports.find('-');
    const auto first = ParsePort(ports.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParsePort(ports.substr(dash + 1));
    if (!first || !last || *first > *last) return wrong;
    rule.first_port = *first;
    rule.last_port = *last;
    target = text.substr(0, colon);
  }
  if (SplitList(target).size() != 1) return wrong;
  auto parsed = BypassRules::Parse(target);
  if (!parsed.ok()) return wrong;
  rule.is_name = parsed->MentionsName(target.starts_with('.') ? "x" + std::string(target) : target);
  rule.target = std::move(*parsed);
  rules_.push_back(std::move(rule));
  return {};
}

TargetRules::Verdict TargetRules::Judge(const Address& target) const {
  for (const Rule& rule : rules_) {
    if (rule.Covers(target.port) && rule.target.Matches(target)) {
      return rule.allow ? Verdict::kAllow : Verdict::kDeny;
    }
  }
  return Verdict::kNone;
}

bool TargetRules::MayResolve(const Address& name) const {
  const Verdict verdict = Judge(name);
  if (verdict != Verdict::kNone || rules_.empty()) return verdict != Verdict::kDeny;
  return std::ranges::any_of(rules_, [&](const Rule& rule) {
    return rule.allow && !rule.is_name && rule.Covers(name.port);
  });
}

bool TargetRules::Allows(const Address& requested, const Address& resolved) const {
  if (rules_.empty()) return true;
  const Verdict of_name = Judge(requested);
  const Verdict of_address = Judge(resolved);
  if (of_name == Verdict::kDeny || of_address == Verdict::kDeny) return false;
  return of_name == Verdict::kAllow || of_address == Verdict::kAllow;
}

}  // namespace socksify
