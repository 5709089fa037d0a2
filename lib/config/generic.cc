#include "lib/config/generic.h"

#include "lib/config/bypass.h"
#include "lib/config/text.h"

namespace socksify {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = HexDigit(text[i + 1]), low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0)
      return std::nullopt;  // no NUL: it would cut the text
    decoded += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return decoded;
}

// What follows the scheme when it is ours.
std::optional<std::string_view> AfterSocks5Scheme(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = LowerCase(url.substr(0, colon));
  if (scheme != "socks5" && scheme != "socks5h") return std::nullopt;
  return url.substr(colon + 3);
}

// [user[:password]@]HOST[:PORT][/]
std::optional<GenericServer> ParseAuthority(std::string_view authority) {
  GenericServer generic;
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    std::string_view user = authority.substr(0, at), password;
    if (const size_t colon = user.find(':'); colon != std::string_view::npos) {
      password = user.substr(colon + 1);
      user = user.substr(0, colon);
    }
    std::optional<std::string> plain_user = PercentDecode(user);
    std::optional<std::string> plain_password = PercentDecode(password);
    if (!plain_user || !plain_password) return std::nullopt;
    generic.user = std::move(*plain_user);
    generic.password = Secret(*plain_password);
    Wipe({reinterpret_cast<uint8_t*>(plain_password->data()), plain_password->size()});
    authority = authority.substr(at + 1);
  }
  if (authority.empty()) return std::nullopt;
  generic.server = authority;
  return generic;
}

}  // namespace

Result<std::optional<GenericServer>> FindGenericServer(const EnvironmentLookup& lookup) {
  for (const char* variable : {"SOCKS5_SERVER", "SOCKS_SERVER", "ALL_PROXY", "all_proxy"}) {
    const char* value = lookup(variable);
    if (value == nullptr || *value == '\0') continue;
    std::string_view text(value);
    std::optional<std::string_view> authority = AfterSocks5Scheme(text);
    // SOCKS_SERVER and its like hold a bare HOST:PORT, the ALL_PROXY pair always a URL.
    const bool may_be_bare = variable[0] == 'S' && text.find("://") == std::string_view::npos;
    if (!authority && !may_be_bare) continue;
    std::optional<GenericServer> generic;
    if (authority) {
      generic = ParseAuthority(*authority);
    } else {
      generic.emplace().server = text;
    }
    if (!generic) {
      return {Errc::kConfig, std::string(variable) + ": not socks5://[USER:PASSWORD@]HOST[:PORT]"};
    }
    generic->variable = variable;
    return generic;
  }
  return std::optional<GenericServer>();
}

std::optional<GenericBypass> FindGenericBypass(const EnvironmentLookup& lookup) {
  for (const char* variable : {"NO_PROXY", "no_proxy"}) {
    const char* value = lookup(variable);
    if (value == nullptr || *value == '\0') continue;
    GenericBypass generic{variable, ""};
    auto add = [&](std::string_view item) {
      Result<BypassRules> rule = BypassRules::Parse(item);
      if (!rule.ok()) return;
      if (!generic.list.empty()) generic.list += ",";
      generic.list += rule->ToString();
    };
    for (std::string_view item : SplitList(value)) {
      if (item.starts_with("*.")) item.remove_prefix(1);
      const bool suffix = item.starts_with('.');
      std::string_view name = suffix ? item.substr(1) : item;
      add(name);
      if (IsHostName(name.substr(0, name.find(':')))) add("." + std::string(name));
    }
    return generic;
  }
  return std::nullopt;
}

}  // namespace socksify
