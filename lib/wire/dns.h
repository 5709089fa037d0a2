// DNS messages, as far as a stub needs them: reads a query, writes the answer (RFC 1035, EDNS of
// RFC 6891). Pure functions; names in text have no final dot, the root is "".
#ifndef LIB_WIRE_DNS_H_
#define LIB_WIRE_DNS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/wire/address.h"

namespace socksify {

inline constexpr uint16_t kDnsPort = 53;
inline constexpr size_t kDnsHeaderSize = 12;
inline constexpr size_t kMaxDnsMessageSize = 65535;

enum class DnsType : uint16_t {
  kA = 1,
  kPtr = 12,
  kAaaa = 28,
  kOpt = 41,
  kIxfr = 251,
  kAxfr = 252,
  kAny = 255,
};

enum class DnsCode : uint8_t {
  kNoError = 0,
  kFormatError = 1,
  kServerFailure = 2,
  kNoSuchName = 3,
  kNotImplemented = 4,
  kRefused = 5,
  kBadVersion = 16,  // in 12 bits, of which EDNS carries the upper ones
};

struct DnsQuery {
  uint16_t id = 0;
  uint16_t flags = 0;  // as they came
  // Anything else than kNoError is the answer: the query is not one that could be looked into.
  DnsCode code = DnsCode::kNoError;
  Bytes question;            // QNAME QTYPE QCLASS as they came: letters keep their case
  std::string name;          // QNAME as text
  bool name_is_text = true;  // false: a label holds an octet that no host's name has
  DnsType type = DnsType::kA;
  uint16_t rr_class = 0;
  bool has_edns = false;
  uint16_t payload_size = 0;  // that the asker can take in a datagram
};

// One record of an answer; its owner is the name in the question.
struct DnsRecord {
  DnsType type;
  uint32_t ttl;
  Bytes data;

  static DnsRecord Of(const Address& address, uint32_t ttl);                // A or AAAA
  static std::optional<DnsRecord> Of(std::string_view name, uint32_t ttl);  // PTR
};

// nullopt: no query, and nothing is to be answered (a response, or less than a header).
std::optional<DnsQuery> ParseDnsQuery(ByteView message);

// The answer to `query`. What does not fit into `limit` octets goes without its records, and says
// so (TC); never less than the header and the question.
Bytes WriteDnsAnswer(const DnsQuery& query, DnsCode code, std::span<const DnsRecord> records,
                     size_t limit);

// A query for one name. nullopt when the name cannot be one.
std::optional<Bytes> WriteDnsQuery(uint16_t id, std::string_view name, uint16_t type,
                                   uint16_t rr_class);

// Appends the name in wire form. False, and nothing appended, for an empty label or one over 63
// octets, or more than 255 octets in all. A final dot is allowed; "" and "." are the root.
bool AppendDnsName(Bytes& to, std::string_view name);

// The address that a name under in-addr.arpa or ip6.arpa is about, with port 0.
std::optional<Address> DnsReverseAddress(std::string_view name);

}  // namespace socksify

#endif  // LIB_WIRE_DNS_H_
