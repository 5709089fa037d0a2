// Small readers of the text that settings are written in. Pure functions.
#ifndef LIB_CONFIG_TEXT_H_
#define LIB_CONFIG_TEXT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/wire/address.h"

namespace socksify {

// Without blanks, tabs and line ends at both sides. A view into `text`.
std::string_view Trim(std::string_view text);

// The trimmed, non-empty items of a comma-separated list. Views into `list`.
std::vector<std::string_view> SplitList(std::string_view list);

// ASCII lower case, whatever the locale.
std::string LowerCase(std::string_view text);

// Decimal digits alone, no sign, no blank; nothing when it is more than `max`.
std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t max);

// A port: 1 to 65535.
std::optional<uint16_t> ParsePort(std::string_view text);

// A numeric IPv4 or IPv6 address without brackets, with port 0. IPv4 in all four parts only.
std::optional<Address> ParseIp(std::string_view text);

// Could this be a host's name? Letters, digits, '-', '_', dots, octets over 0x7f; no empty label;
// and its last label is not a number, for then it was meant as an address.
bool IsHostName(std::string_view text);

}  // namespace socksify

#endif  // LIB_CONFIG_TEXT_H_
