#include "lib/config/text.h"

#include <arpa/inet.h>

#include <algorithm>

namespace socksify {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNameOctet(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         static_cast<unsigned char>(c) > 0x7f;
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> SplitList(std::string_view list) {
  std::vector<std::string_view> items;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view item = Trim(list.substr(0, comma));
    if (!item.empty()) items.push_back(item);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return items;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t max) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
    if (value > max) return std::nullopt;
  }
  return static_cast<uint32_t>(value);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  std::optional<uint32_t> port = ParseNumber(text, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

std::optional<Address> ParseIp(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<uint8_t, 4> ipv4;
  if (inet_pton(AF_INET, terminated.c_str(), ipv4.data()) == 1) return Address::Ipv4(ipv4, 0);
  std::array<uint8_t, 16> ipv6;
  if (inet_pton(AF_INET6, terminated.c_str(), ipv6.data()) == 1) return Address::Ipv6(ipv6, 0);
  return std::nullopt;
}

bool IsHostName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMaxNameLength) return false;
  size_t label_start = 0;
  for (size_t i = 0; i <= text.size(); i++) {
    if (i < text.size() && text[i] != '.') {
      if (!IsNameOctet(text[i])) return false;
      continue;
    }
    if (i == label_start) return false;
    if (i < text.size()) label_start = i + 1;
  }
  return !std::ranges::all_of(text.substr(label_start), IsDigit);
}

}  // namespace socksify
