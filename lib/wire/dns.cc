#include "lib/wire/dns.h"

#include <algorithm>

namespace socksify {
namespace {

constexpr size_t kMaxLabelSize = 63;
constexpr size_t kMaxWireName = 255;
constexpr uint16_t kMinPayload = 512;
// What this side takes in a datagram: no answer is asked of anybody, so it is only polite.
constexpr uint16_t kOwnPayload = 1232;

constexpr uint16_t kResponse = 0x8000;
constexpr uint16_t kOpcode = 0x7800;
constexpr uint16_t kTruncated = 0x0200;
constexpr uint16_t kRecursionDesired = 0x0100;
constexpr uint16_t kRecursionAvailable = 0x0080;
constexpr uint16_t kCheckingDisabled = 0x0010;

void AppendU32(Bytes& to, uint32_t value) {
  AppendU16(to, static_cast<uint16_t>(value >> 16));
  AppendU16(to, static_cast<uint16_t>(value));
}

bool IsNameOctet(uint8_t octet) { return octet > ' ' && octet != '.' && octet != 0x7f; }

// QNAME. A query's only name has nothing before it to point at, so no compression.
bool ReadName(Cursor& cursor, DnsQuery& query) {
  size_t size = 0;
  for (;;) {
    const uint8_t length = cursor.U8();
    size += size_t{length} + 1;
    if (!cursor.ok() || length > kMaxLabelSize || size > kMaxWireName) return false;
    if (length == 0) return true;
    const ByteView label = cursor.Take(length);
    if (!cursor.ok()) return false;
    if (!std::ranges::all_of(label, IsNameOctet)) query.name_is_text = false;
    if (!query.name.empty()) query.name += '.';
    query.name += AsText(label);
  }
}

// The owner of a record, which may be compressed. Says whether it is the root.
bool SkipName(Cursor& cursor, bool* root) {
  *root = true;
  for (size_t size = 0; size <= kMaxWireName;) {
    const uint8_t length = cursor.U8();
    if (!cursor.ok()) return false;
    if (length == 0) return true;
    *root = false;
    if (length >= 0xc0) {  // a pointer ends the name
      cursor.U8();
      return cursor.ok();
    }
    if (length > kMaxLabelSize) return false;
    cursor.Take(length);
    size += size_t{length} + 1;
  }
  return false;
}

bool ReadRecord(Cursor& cursor, DnsQuery& query) {
  bool root = false;
  if (!SkipName(cursor, &root)) return false;
  const auto type = static_cast<DnsType>(cursor.U16());
  const uint16_t rr_class = cursor.U16();
  cursor.U8();  // the upper bits of a code, of a TTL otherwise
  const uint8_t version = cursor.U8();
  cursor.U16();
  cursor.Take(cursor.U16());
  if (!cursor.ok()) return false;
  if (type != DnsType::kOpt) return true;
  if (!root || query.has_edns) return false;  // RFC 6891 section 6.1.1
  query.has_edns = true;
  query.payload_size = std::max(rr_class, kMinPayload);
  if (version != 0) query.code = DnsCode::kBadVersion;
  return true;
}

// Everything behind the header. False when that is no query.
bool ReadBody(Cursor& cursor, ByteView body, DnsQuery& query, uint16_t questions, size_t records) {
  if (questions != 1) return false;  // RFC 9619
  if (!ReadName(cursor, query)) return false;
  query.type = static_cast<DnsType>(cursor.U16());
  query.rr_class = cursor.U16();
  if (!cursor.ok()) return false;
  const ByteView question = body.first(body.size() - cursor.remaining());
  query.question.assign(question.begin(), question.end());
  for (; records != 0; --records) {
    if (!ReadRecord(cursor, query)) return false;
  }
  return cursor.remaining() == 0;
}

std::optional<uint8_t> Decimal(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 255) return std::nullopt;
  return static_cast<uint8_t>(value);
}

std::optional<uint8_t> Nibble(std::string_view text) {
  if (text.size() != 1) return std::nullopt;
  const char c = static_cast<char>(text[0] | 0x20);
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  return Decimal(text);
}

// Takes the first label off. "" when there is none.
std::string_view TakeLabel(std::string_view& name) {
  const size_t dot = std::min(name.find('.'), name.size());
  const std::string_view label = name.substr(0, dot);
  name.remove_prefix(std::min(dot + 1, name.size()));
  return label;
}

bool IsName(std::string_view name, std::string_view lower) {
  return std::ranges::equal(name, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
  });
}

}  // namespace

std::optional<DnsQuery> ParseDnsQuery(ByteView message) {
  if (message.size() < kDnsHeaderSize) return std::nullopt;
  Cursor cursor(message);
  DnsQuery query;
  query.id = cursor.U16();
  query.flags = cursor.U16();
  if ((query.flags & kResponse) != 0) return std::nullopt;
  const uint16_t questions = cursor.U16();
  const size_t records = size_t{cursor.U16()} + cursor.U16() + cursor.U16();
  if ((query.flags & kOpcode) != 0) {
    query.code = DnsCode::kNotImplemented;
  } else if (!ReadBody(cursor, message.subspan(kDnsHeaderSize), query, questions, records)) {
    query.code = DnsCode::kFormatError;
  }
  return query;
}

Bytes WriteDnsAnswer(const DnsQuery& query, DnsCode code, std::span<const DnsRecord> records,
                     size_t limit) {
  constexpr size_t kRecordHeaderSize = 12;
  constexpr size_t kOptSize = 11;
  size_t size = kDnsHeaderSize + query.question.size() + (query.has_edns ? kOptSize : 0);
  for (const DnsRecord& record : records) size += kRecordHeaderSize + record.data.size();
  const bool truncated = size > std::min(limit, kMaxDnsMessageSize);
  if (truncated) records = {};

  const auto number = static_cast<uint8_t>(code);
  uint16_t flags = query.flags & (kOpcode | kRecursionDesired | kCheckingDisabled);
  flags |= kResponse | kRecursionAvailable | (number & 0x0f);
  if (truncated) flags |= kTruncated;
  Bytes answer;
  AppendU16(answer, query.id);
  AppendU16(answer, flags);
  AppendU16(answer, query.question.empty() ? 0 : 1);
  AppendU16(answer, static_cast<uint16_t>(records.size()));
  AppendU16(answer, 0);
  AppendU16(answer, query.has_edns ? 1 : 0);
  Append(answer, query.question);
  for (const DnsRecord& record : records) {
    AppendU16(answer, 0xc000 | kDnsHeaderSize);  // the name in the question
    AppendU16(answer, static_cast<uint16_t>(record.type));
    AppendU16(answer, 1);
    AppendU32(answer, record.ttl);
    AppendU16(answer, static_cast<uint16_t>(record.data.size()));
    Append(answer, record.data);
  }
  if (query.has_edns) {
    answer.push_back(0);
    AppendU16(answer, static_cast<uint16_t>(DnsType::kOpt));
    AppendU16(answer, kOwnPayload);
    AppendU32(answer, static_cast<uint32_t>(number >> 4) << 24);
    AppendU16(answer, 0);
  }
  return answer;
}

std::optional<Bytes> WriteDnsQuery(uint16_t id, std::string_view name, uint16_t type,
                                   uint16_t rr_class) {
  Bytes query;
  AppendU16(query, id);
  AppendU16(query, kRecursionDesired);
  AppendU16(query, 1);
  for (int section = 0; section < 3; ++section) AppendU16(query, 0);
  if (!AppendDnsName(query, name)) return std::nullopt;
  AppendU16(query, type);
  AppendU16(query, rr_class);
  return query;
}

bool AppendDnsName(Bytes& to, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  Bytes wire;
  while (!name.empty()) {
    const bool last = name.find('.') == std::string_view::npos;
    const std::string_view label = TakeLabel(name);
    if (label.empty() || label.size() > kMaxLabelSize || (name.empty() && !last)) return false;
    wire.push_back(static_cast<uint8_t>(label.size()));
    Append(wire, AsBytes(label));
  }
  wire.push_back(0);
  if (wire.size() > kMaxWireName) return false;
  Append(to, wire);
  return true;
}

std::optional<Address> DnsReverseAddress(std::string_view name) {
  std::array<uint8_t, 16> octets = {};
  std::string_view ipv4 = name;
  for (size_t i = 0; i < 4; ++i) {
    const auto octet = Decimal(TakeLabel(ipv4));
    if (!octet) break;
    octets[3 - i] = *octet;
    if (i == 3 && IsName(ipv4, "in-addr.arpa")) {
      return Address::Ipv4({octets[0], octets[1], octets[2], octets[3]}, 0);
    }
  }
  for (size_t i = 0; i < 16; ++i) {
    const auto low = Nibble(TakeLabel(name));
    const auto high = Nibble(TakeLabel(name));
    if (!low || !high) return std::nullopt;
    octets[15 - i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  if (!IsName(name, "ip6.arpa")) return std::nullopt;
  return Address::Ipv6(octets, 0);
}

DnsRecord DnsRecord::Of(const Address& address, uint32_t ttl) {
  const ByteView octets = address.ip_octets();
  return {address.type == AddressType::kIpv4 ? DnsType::kA : DnsType::kAaaa, ttl,
          Bytes(octets.begin(), octets.end())};
}

std::optional<DnsRecord> DnsRecord::Of(std::string_view name, uint32_t ttl) {
  DnsRecord record{DnsType::kPtr, ttl, {}};
  if (!AppendDnsName(record.data, name)) return std::nullopt;
  return record;
}

}  // namespace socksify
