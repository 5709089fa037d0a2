// The messages of SOCKS version 5, RFC 1928 sections 3, 4 and 6.
//
// Each message has an Append function, which writes all of it, and a Parse function over the octets
// that have come so far. Parse says how many octets the message takes, or that it needs more, and
// never looks behind the message's end. All functions are pure.
#ifndef LIB_WIRE_SOCKS5_H_
#define LIB_WIRE_SOCKS5_H_

#include <cstdint>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/wire/address.h"

namespace socksify {

inline constexpr uint8_t kSocksVersion = 0x05;

enum class Method : uint8_t {  // RFC 1928 section 3 and the IANA registry
  kNone = 0x00,
  kGssapi = 0x01,
  kUserpass = 0x02,
  kChap = 0x03,
  kSslIana = 0x06,
  kSsl = 0x86,
  kNoAcceptable = 0xff,
};

const char* MethodName(Method method);  // "gssapi"; "unknown" for what has no name

enum class Command : uint8_t { kConnect = 0x01, kBind = 0x02, kUdpAssociate = 0x03 };

enum class Reply : uint8_t {  // RFC 1928 section 6
  kSucceeded = 0x00,
  kGeneralFailure = 0x01,
  kNotAllowed = 0x02,
  kNetworkUnreachable = 0x03,
  kHostUnreachable = 0x04,
  kConnectionRefused = 0x05,
  kTtlExpired = 0x06,
  kCommandNotSupported = 0x07,
  kAddressTypeNotSupported = 0x08,
};

Errc ReplyErrc(Reply reply);         // unassigned values count as kGeneralFailure
const char* ReplyText(Reply reply);  // "connection refused"; "unassigned reply" for others

// What a Parse function found: a message of `size` octets, or size 0 and at least `missing` more
// octets wanted.
template <typename Message>
struct Parsed {
  size_t size = 0;
  size_t missing = 0;
  Message message = {};

  bool complete() const { return size != 0; }
  static Parsed Needs(size_t octets) { return {0, octets, {}}; }
};

struct Greeting {  // VER NMETHODS METHODS
  std::vector<Method> methods;
};
void AppendGreeting(Bytes& to, const Greeting& greeting);  // 1 to 255 methods
Result<Parsed<Greeting>> ParseGreeting(ByteView octets);   // kMalformed: VER, NMETHODS 0

struct Choice {  // VER METHOD
  Method method = Method::kNoAcceptable;
};
void AppendChoice(Bytes& to, Choice choice);
Result<Parsed<Choice>> ParseChoice(ByteView octets);  // kMalformed: VER

struct Request {  // VER CMD RSV ATYP DST.ADDR DST.PORT
  Command command = Command::kConnect;
  Address destination;
};
Status AppendRequest(Bytes& to, const Request& request);
// An unknown command is returned as it came (the server answers REP 07). kMalformed: VER, RSV,
// ATYP, address; kReplyAddressUnsupported when ATYP alone is unknown, so that a server can answer
// REP 08.
Result<Parsed<Request>> ParseRequest(ByteView octets);

struct ReplyMessage {  // VER REP RSV ATYP BND.ADDR BND.PORT
  Reply reply = Reply::kGeneralFailure;
  Address bound;
};
Status AppendReply(Bytes& to, const ReplyMessage& reply);
// A failure (REP other than 0) is complete at octet 2 when `at_end` says that no more will come,
// and its bound address is then zero: some servers send short failures.
Result<Parsed<ReplyMessage>> ParseReply(ByteView octets, bool at_end = false);

}  // namespace socksify

#endif  // LIB_WIRE_SOCKS5_H_
