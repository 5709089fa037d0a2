// Sends what a process that ends has left: a process does not wait for its peers to read, and the
// kernel sends what it has taken also after the end. The last part of a frame that it has not taken
// goes out from a process of its own.
#ifndef SHIM_TAIL_SENDER_H_
#define SHIM_TAIL_SENDER_H_

#include <vector>

#include "shim/connection.h"

namespace socksify {

// Returns at once. The new process is nobody's child to wait for, has no other descriptors, no
// terminal and no directory, and ends when all tails are out or their connections are gone. Where
// none can be started the tails are sent here, which blocks.
void SendTailsInNewProcess(const std::vector<Connection::Tail>& tails);

}  // namespace socksify

#endif  // SHIM_TAIL_SENDER_H_
