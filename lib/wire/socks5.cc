#include "lib/wire/socks5.h"

#include <algorithm>
#include <utility>

namespace socksify {
namespace {

constexpr size_t kChoiceSize = 2;
constexpr size_t kAddressAt = 3;  // of a request or reply: behind VER CMD/REP RSV
constexpr size_t kHeadSize = 5;   // shows how long a request or reply is

// Every message starts with VER; a wrong one is known at the first octet.
Status CheckVersion(ByteView octets) {
  if (octets.empty() || octets[0] == kSocksVersion) return {};
  return {Errc::kMalformed, "the peer does not speak SOCKS 5 (its message starts with 0x" +
                                Hex(octets.first(1)) + ")"};
}

Status CheckReserved(ByteView octets) {
  if (octets.size() < 3 || octets[2] == 0) return {};
  return {Errc::kMalformed, "the reserved octet is 0x" + Hex(octets.subspan(2, 1)) + ", not 0x00"};
}

// Requests and replies have one shape. Finds size and missing, and reads the address when all is
// there.
Result<Parsed<Address>> ParseAddressPart(ByteView octets) {
  using Found = Parsed<Address>;
  ByteView address = octets.size() > kAddressAt ? octets.subspan(kAddressAt) : ByteView();
  Result<size_t> address_size = AddressSize(address);
  if (!address_size.ok()) return address_size.status();
  if (*address_size == 0) return Found::Needs(kHeadSize - octets.size());
  const size_t size = kAddressAt + *address_size;
  if (octets.size() < size) return Found::Needs(size - octets.size());
  Cursor cursor(address.first(*address_size));
  Result<Address> read = ReadAddress(cursor);
  if (!read.ok()) return read.status();
  return Found{size, 0, std::move(*read)};
}

}  // namespace

const char* MethodName(Method method) {
  switch (method) {
    case Method::kNone:
      return "none";
    case Method::kGssapi:
      return "gssapi";
    case Method::kUserpass:
      return "userpass";
    case Method::kChap:
      return "chap";
    case Method::kSslIana:
    case Method::kSsl:
      return "ssl";
    case Method::kNoAcceptable:
      return "no acceptable method";
  }
  return "unknown";
}

Errc ReplyErrc(Reply reply) {
  switch (reply) {
    case Reply::kSucceeded:
      return Errc::kOk;
    case Reply::kGeneralFailure:
      return Errc::kReplyGeneral;
    case Reply::kNotAllowed:
      return Errc::kReplyNotAllowed;
    case Reply::kNetworkUnreachable:
      return Errc::kReplyNetworkUnreachable;
    case Reply::kHostUnreachable:
      return Errc::kReplyHostUnreachable;
    case Reply::kConnectionRefused:
      return Errc::kReplyRefused;
    case Reply::kTtlExpired:
      return Errc::kReplyTtlExpired;
    case Reply::kCommandNotSupported:
      return Errc::kReplyCommandUnsupported;
    case Reply::kAddressTypeNotSupported:
      return Errc::kReplyAddressUnsupported;
  }
  return Errc::kReplyGeneral;
}

const char* ReplyText(Reply reply) {
  switch (reply) {
    case Reply::kSucceeded:
      return "succeeded";
    case Reply::kGeneralFailure:
      return "general SOCKS server failure";
    case Reply::kNotAllowed:
      return "connection not allowed by ruleset";
    case Reply::kNetworkUnreachable:
      return "network unreachable";
    case Reply::kHostUnreachable:
      return "host unreachable";
    case Reply::kConnectionRefused:
      return "connection refused";
    case Reply::kTtlExpired:
      return "TTL expired";
    case Reply::kCommandNotSupported:
      return "command not supported";
    case Reply::kAddressTypeNotSupported:
      return "address type not supported";
  }
  return "unassigned reply";
}

void AppendGreeting(Bytes& to, const Greeting& greeting) {
  const size_t count = std::min<size_t>(greeting.methods.size(), 255);
  to.push_back(kSocksVersion);
  to.push_back(static_cast<uint8_t>(count));
  for (size_t i = 0; i < count; i++) to.push_back(static_cast<uint8_t>(greeting.methods[i]));
}

Result<Parsed<Greeting>> ParseGreeting(ByteView octets) {
  using Found = Parsed<Greeting>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  if (octets.size() < 2) return Found::Needs(2 - octets.size());
  const size_t count = octets[1];
  if (count == 0) return {Errc::kMalformed, "a greeting that offers no method"};
  const size_t size = 2 + count;
  if (octets.size() < size) return Found::Needs(size - octets.size());
  Found found;
  found.size = size;
  for (uint8_t octet : octets.subspan(2, count)) {
    found.message.methods.push_back(static_cast<Method>(octet));
  }
  return found;
}

void AppendChoice(Bytes& to, Choice choice) {
  to.push_back(kSocksVersion);
  to.push_back(static_cast<uint8_t>(choice.method));
}

Result<Parsed<Choice>> ParseChoice(ByteView octets) {
  using Found = Parsed<Choice>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  if (octets.size() < kChoiceSize) return Found::Needs(kChoiceSize - octets.size());
  return Found{kChoiceSize, 0, {static_cast<Method>(octets[1])}};
}

Status AppendRequest(Bytes& to, const Request& request) {
  Bytes address;  // first, so that `to` stays as it is when the address does not do
  if (Status status = AppendAddress(address, request.destination); !status.ok()) return status;
  to.insert(to.end(), {kSocksVersion, static_cast<uint8_t>(request.command), 0x00});
  Append(to, address);
  return {};
}

Result<Parsed<Request>> ParseRequest(ByteView octets) {
  using Found = Parsed<Request>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  if (Status status = CheckReserved(octets); !status.ok()) return status;
  if (octets.size() > kAddressAt && !AddressSize(octets.subspan(kAddressAt)).ok()) {
    return {Errc::kReplyAddressUnsupported, "a request with an unknown address type (ATYP 0x" +
                                                Hex(octets.subspan(kAddressAt, 1)) + ")"};
  }
  Result<Parsed<Address>> part = ParseAddressPart(octets);
  if (!part.ok()) return part.status();
  if (!part->complete()) return Found::Needs(part->missing);
  return Found{part->size, 0, {static_cast<Command>(octets[1]), std::move(part->message)}};
}

Status AppendReply(Bytes& to, const ReplyMessage& reply) {
  Bytes address;
  if (Status status = AppendAddress(address, reply.bound); !status.ok()) return status;
  to.insert(to.end(), {kSocksVersion, static_cast<uint8_t>(reply.reply), 0x00});
  Append(to, address);
  return {};
}

Result<Parsed<ReplyMessage>> ParseReply(ByteView octets, bool at_end) {
  using Found = Parsed<ReplyMessage>;
  if (Status status = CheckVersion(octets); !status.ok()) return status;
  const bool failure = octets.size() >= 2 && octets[1] != 0;
  if (!failure) {
    if (Status status = CheckReserved(octets); !status.ok()) return status;
  }
  const Reply reply = octets.size() >= 2 ? static_cast<Reply>(octets[1]) : Reply::kSucceeded;
  Result<Parsed<Address>> part = ParseAddressPart(octets);
  if (!part.ok()) {
    // A failure is all zeroes behind REP from some servers. What it says is clear; no octet of ours
    // follows, so how long it meant to be does not matter.
    if (failure) return Found{octets.size(), 0, {reply, {}}};
    return part.status();
  }
  if (part->complete()) return Found{part->size, 0, {reply, std::move(part->message)}};
  if (failure && at_end) return Found{octets.size(), 0, {reply, {}}};
  return Found::Needs(part->missing);
}

}  // namespace socksify
