// What comes over the control socket: one octet with three descriptors is a session.
#ifndef TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_
#define TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_

#include <optional>

#include "lib/base/bytes.h"
#include "tools/helper/unique_fd.h"

namespace socksify {

struct Handover {
  UniqueFd server;  // the TCP socket to the SOCKS server
  UniqueFd plain;   // the TCP socket whose other end the application has
  UniqueFd state;   // a stream socket in which the octets of a SessionState wait
};

// Takes the next message off the control socket without blocking. nullopt: it is no handover, and
// what came with it is closed; or there is none, and `*more` is set to false; or never again will
// be one, and `*ended` to true as well.
std::optional<Handover> ReceiveHandover(int control, bool* more, bool* ended);

// All that waits in a stream socket; does not block. Empty if it is none.
Bytes ReadAll(int fd);

// Undoes what the application and the shim have set on a socket that would be felt here: low-water
// mark, SIGIO, lingering. Closed from now on without more ado, it is reset.
void Prepare(int socket);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_RELAY_HANDOVER_H_
