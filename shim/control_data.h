// Control data of a message (cmsg(3)) that the application sends.
#ifndef SHIM_CONTROL_DATA_H_
#define SHIM_CONTROL_DATA_H_

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "shim/user_memory.h"

namespace socksify {

// Would it choose an interface, or a source address? A stand-in on loopback has no use for either.
inline bool ChoosesSource(const cmsghdr& control) {
  return (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) ||
         (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO);
}

// The kernel cuts the data into several datagrams.
inline bool Segments(const cmsghdr& control) {
  return control.cmsg_level == SOL_UDP && control.cmsg_type == UDP_SEGMENT;
}

// Calls `visit(head, octets, size)` for each part of the control data; what is malformed, for the
// kernel to refuse, is a part with an empty head.
template <typename Visitor>
void ForEachControl(const msghdr& message, Visitor visit) {
  const auto* octets = static_cast<const char*>(message.msg_control);
  size_t at = 0;
  while (at + sizeof(cmsghdr) <= message.msg_controllen) {
    cmsghdr head;
    memcpy(&head, octets + at, sizeof head);
    if (head.cmsg_len < sizeof head || head.cmsg_len > message.msg_controllen - at) break;
    const size_t size = std::min(CMSG_ALIGN(head.cmsg_len), message.msg_controllen - at);
    visit(head, octets + at, size);
    at += size;
  }
  if (at < message.msg_controllen) visit(cmsghdr{}, octets + at, message.msg_controllen - at);
}

inline bool AnyControl(const msghdr& message, bool (*fits)(const cmsghdr&)) {
  bool any = false;
  if (message.msg_controllen == 0 || !IsAllReadable(message.msg_control, message.msg_controllen))
    return false;
  ForEachControl(message, [&](const cmsghdr& head, const char*, size_t) { any |= fits(head); });
  return any;
}

}  // namespace socksify

#endif  // SHIM_CONTROL_DATA_H_
