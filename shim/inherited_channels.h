// The channels of associations and listeners that go along with their sockets across exec: which
// descriptor is one's, so that the program executed goes on with it. All processes of a run share
// the table.
#ifndef SHIM_INHERITED_CHANNELS_H_
#define SHIM_INHERITED_CHANNELS_H_

#include <memory>

#include "shim/agent_process.h"

namespace socksify {

// Notes which channel belongs to the socket `fd`, of this type (SOCK_STREAM or SOCK_DGRAM).
void NoteChannel(int fd, int type, const AgentChannel& channel);

// The channel that came with the socket; null when there is none. It is this process's then.
std::shared_ptr<AgentChannel> AdoptChannel(int fd, int type);

}  // namespace socksify

#endif  // SHIM_INHERITED_CHANNELS_H_
