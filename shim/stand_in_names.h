// What getpeername(2) and getsockname(2) say of stand-ins in processes that did not make them:
// those that got one across exec or over a Unix socket. All processes of a run share the table.
#ifndef SHIM_STAND_IN_NAMES_H_
#define SHIM_STAND_IN_NAMES_H_

#include <optional>

#include "lib/io/socket_address.h"

namespace socksify {

// Both ends of the connection that the program made.
struct ConnectionNames {
  SocketAddress local;
  SocketAddress peer;
};

// Notes what the socket `stand_in` stands for.
void NoteStandIn(int stand_in, const ConnectionNames& names);

// `local` and `peer` are a socket's own. Are they a stand-in's? Then what it stands for.
bool FindStandIn(const SocketAddress& local, const SocketAddress& peer, ConnectionNames* names);

// `peer` is whom `stand_in`, the agent's, plays to the socket for datagrams `fd`.
void NoteDatagramStandIn(int fd, const SocketAddress& stand_in, const SocketAddress& peer);
std::optional<SocketAddress> DatagramPeerAt(int fd, const SocketAddress& stand_in);

}  // namespace socksify

#endif  // SHIM_STAND_IN_NAMES_H_
