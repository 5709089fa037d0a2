#include "lib/wire/address.h"

#include <algorithm>
#include <cstdio>

namespace socksify {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string Ipv4Text(const uint8_t* ip) {
  char text[16];
  snprintf(text, sizeof text, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
  return text;
}

// RFC 5952: lower case, no leading zeroes, the longest run of two or more zero groups as "::".
// Written here because inet_ntop comes with the socket headers, which this layer does not include.
std::string Ipv6Text(const std::array<uint8_t, 16>& ip) {
  constexpr int kGroups = 8;
  auto group = [&](int i) { return static_cast<unsigned>(ip[2 * i] << 8 | ip[2 * i + 1]); };
  int run_start = kGroups, run_length = 1;
  for (int i = 0; i < kGroups;) {
    int end = i;
    while (end < kGroups && group(end) == 0) end++;
    if (end - i > run_length) {
      run_start = i;
      run_length = end - i;
    }
    i = end + 1;
  }
  std::string text;
  for (int i = 0; i < kGroups; i++) {
    if (i == run_start) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char digits[5];
    snprintf(digits, sizeof digits, "%x", group(i));
    text += digits;
  }
  return text;
}

}  // namespace

Address Address::Ipv4(std::array<uint8_t, 4> ip, uint16_t port) {
  Address address;
  std::copy(ip.begin(), ip.end(), address.ip.begin());
  address.port = port;
  return address;
}

Address Address::Ipv6(std::array<uint8_t, 16> ip, uint16_t port) {
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin())) {
    return Ipv4({ip[12], ip[13], ip[14], ip[15]}, port);
  }
  Address address;
  address.type = AddressType::kIpv6;
  address.ip = ip;
  address.port = port;
  return address;
}

Address Address::Name(std::string_view name, uint16_t port) {
  Address address;
  address.type = AddressType::kName;
  address.name = name;
  address.port = port;
  return address;
}

bool Address::IsUnspecified() const {
  if (type == AddressType::kName) return false;
  return std::ranges::all_of(ip_octets(), [](uint8_t octet) { return octet == 0; });
}

std::string Address::Host() const {
  switch (type) {
    case AddressType::kIpv4:
      return Ipv4Text(ip.data());
    case AddressType::kIpv6:
      return Ipv6Text(ip);
    case AddressType::kName:
      break;
  }
  return name;
}

std::string Address::ToString() const {
  std::string host = Host();
  if (type == AddressType::kIpv6) host = "[" + host + "]";
  return host + ":" + std::to_string(port);
}

Status AppendAddress(Bytes& to, const Address& address) {
  if (address.type == AddressType::kName) {
    if (address.name.size() > kMaxNameLength) {
      return {Errc::kNameTooLong, "a destination name is longer than 255 octets"};
    }
    if (address.name.empty()) return {Errc::kMalformed, "a destination name is empty"};
    if (address.name.find('\0') != std::string::npos) {
      return {Errc::kMalformed, "a destination name holds a NUL"};
    }
  }
  to.push_back(static_cast<uint8_t>(address.type));
  if (address.type == AddressType::kName) {
    to.push_back(static_cast<uint8_t>(address.name.size()));
    Append(to, AsBytes(address.name));
  } else {
    Append(to, address.ip_octets());
  }
  AppendU16(to, address.port);
  return {};
}

Result<Address> ReadAddress(Cursor& cursor) {
  const uint8_t type = cursor.U8();
  if (!cursor.ok()) return Address{};
  switch (static_cast<AddressType>(type)) {
    case AddressType::kIpv4: {
      ByteView octets = cursor.Take(4);
      const uint16_t port = cursor.U16();
      if (!cursor.ok()) return Address{};
      return Address::Ipv4({octets[0], octets[1], octets[2], octets[3]}, port);
    }
    case AddressType::kIpv6: {
      ByteView octets = cursor.Take(16);
      const uint16_t port = cursor.U16();
      if (!cursor.ok()) return Address{};
      std::array<uint8_t, 16> ip;
      std::ranges::copy(octets, ip.begin());
      return Address::Ipv6(ip, port);
    }
    case AddressType::kName: {
      const uint8_t length = cursor.U8();
      if (cursor.ok() && length == 0) return {Errc::kMalformed, "an address with an empty name"};
      std::string_view name = AsText(cursor.Take(length));
      const uint16_t port = cursor.U16();
      if (!cursor.ok()) return Address{};
      // "No terminating NUL octet" (RFC 1928 section 5), and none inside: C strings would cut it.
      if (name.find('\0') != std::string_view::npos) {
        return {Errc::kMalformed, "an address whose name holds a NUL"};
      }
      return Address::Name(name, port);
    }
  }
  return {Errc::kMalformed, "an unknown address type (ATYP 0x" + Hex({&type, 1}) + ")"};
}

Result<size_t> AddressSize(ByteView head) {
  if (head.empty()) return size_t{0};
  switch (static_cast<AddressType>(head[0])) {
    case AddressType::kIpv4:
      return size_t{1 + 4 + 2};
    case AddressType::kIpv6:
      return size_t{1 + 16 + 2};
    case AddressType::kName:
      return head.size() < 2 ? size_t{0} : size_t{1} + 1 + head[1] + 2;
  }
  return {Errc::kMalformed, "an unknown address type (ATYP 0x" + Hex(head.first(1)) + ")"};
}

}  // namespace socksify
