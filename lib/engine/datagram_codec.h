// The datagrams of a UDP association: header, data, and the protection of its session around both
// (RFC 1928 section 7, RFC 1961 section 6). Both ends use these.
#ifndef LIB_ENGINE_DATAGRAM_CODEC_H_
#define LIB_ENGINE_DATAGRAM_CODEC_H_

#include "lib/base/bytes.h"
#include "lib/base/result.h"
#include "lib/security/security_layer.h"
#include "lib/wire/address.h"

namespace socksify {

struct Datagram {
  Address address;  // client to server: where it goes; server to client: where it has come from
  ByteSpan data;    // may be empty
};

// Appends the datagram that carries `data`. kUnsupported when it would be too large for UDP.
Status SealDatagram(SecurityLayer& layer, const Address& address, ByteView data, Bytes* datagram);

// Opens one, in place: the data are a view into `datagram`. An error says why it is to be dropped;
// the association goes on.
Result<Datagram> OpenDatagram(SecurityLayer& layer, ByteSpan datagram);

// Most octets of data that a datagram to or from `address` can carry.
size_t MaxDatagramData(const SecurityLayer& layer, const Address& address);

}  // namespace socksify

#endif  // LIB_ENGINE_DATAGRAM_CODEC_H_
