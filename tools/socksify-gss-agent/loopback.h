// Where stand-ins are.
#ifndef TOOLS_SOCKSIFY_GSS_AGENT_LOOPBACK_H_
#define TOOLS_SOCKSIFY_GSS_AGENT_LOOPBACK_H_

#include "lib/wire/address.h"

namespace socksify {

inline Address LoopbackAddress(AddressType type, uint16_t port) {
  if (type == AddressType::kIpv4) return Address::Ipv4({127, 0, 0, 1}, port);
  return Address::Ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, port);
}

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_AGENT_LOOPBACK_H_
