// What the preloaded library sends to its helpers over SOCK_SEQPACKET sockets: octets, and
// descriptors with them.
#ifndef TOOLS_HELPER_MESSAGE_H_
#define TOOLS_HELPER_MESSAGE_H_

#include <optional>
#include <vector>

#include "lib/base/bytes.h"
#include "tools/helper/unique_fd.h"

namespace socksify {

// Is it a socket of AF_UNIX and SOCK_SEQPACKET?
bool IsMessageSocket(int fd);

struct Message {
  ByteView octets;
  std::vector<UniqueFd> descriptors;
  bool cut;  // there was no room for more of them
};

// Takes the next message off the socket without blocking; its octets go to `room`. nullopt: it is
// longer than that, and what came with it is closed; or there is none, and `*more` is set to false;
// or never again will be one, and `*ended` to true as well.
std::optional<Message> ReceiveMessage(int socket, ByteSpan room, bool* more, bool* ended);

}  // namespace socksify

#endif  // TOOLS_HELPER_MESSAGE_H_
