// request: KIND WAIT | own | peer
// reply:   ERROR(2) MAX_DATA(4) | stand-in | peer | bound | LEN(2) message
//
// Addresses as in SOCKS: ATYP ADDR PORT.
#include "lib/io/agent_protocol.h"

#include <limits.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace socksify {
namespace {

Status NotOurs() { return {Errc::kMalformed, "this is no message between library and agent"}; }

}  // namespace

Bytes EncodeAgentRequest(const AgentRequest& request) {
  Bytes octets = {static_cast<uint8_t>(request.kind), request.wait ? uint8_t{1} : uint8_t{0}};
  (void)AppendAddress(octets, request.own);
  (void)AppendAddress(octets, request.peer);
  return octets;
}

Result<AgentRequest> DecodeAgentRequest(ByteView octets) {
  using Kind = AgentRequest::Kind;
  Cursor in(octets);
  const uint8_t kind = in.U8(), wait = in.U8();
  auto own = ReadAddress(in), peer = ReadAddress(in);
  const bool known = static_cast<uint8_t>(Kind::kAssociate) <= kind &&
                     kind <= static_cast<uint8_t>(Kind::kSettle) && wait <= 1;
  if (!in.ok() || !own.ok() || !peer.ok() || !known || in.remaining() != 0) return NotOurs();
  return AgentRequest{static_cast<Kind>(kind), wait == 1, std::move(*own), std::move(*peer)};
}

Bytes EncodeAgentReply(const AgentReply& reply) {
  Bytes octets;
  AppendU16(octets, static_cast<uint16_t>(reply.error));
  AppendU16(octets, static_cast<uint16_t>(reply.max_data >> 16));
  AppendU16(octets, static_cast<uint16_t>(reply.max_data));
  for (const Address& address : {reply.stand_in, reply.peer, reply.bound}) {
    (void)AppendAddress(octets, address);
  }
  const size_t length = std::min(reply.message.size(), PIPE_BUF - octets.size() - 2);
  AppendU16(octets, static_cast<uint16_t>(length));
  octets.insert(octets.end(), reply.message.begin(),
                reply.message.begin() + static_cast<ptrdiff_t>(length));
  return octets;
}

Result<AgentReply> DecodeAgentReply(ByteView octets) {
  Cursor in(octets);
  AgentReply reply;
  reply.error = in.U16();
  const size_t high = in.U16();
  reply.max_data = high << 16 | in.U16();
  for (Address* address : {&reply.stand_in, &reply.peer, &reply.bound}) {
    auto read = ReadAddress(in);
    if (!in.ok() || !read.ok()) return NotOurs();
    *address = std::move(*read);
  }
  const uint16_t length = in.U16();
  if (!in.ok() || length != in.remaining()) return NotOurs();
  const ByteView message = in.Take(length);
  reply.message.assign(message.begin(), message.end());
  return reply;
}

}  // namespace socksify
