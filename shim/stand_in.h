// A plain socket that takes the place of a session's socket: one end of a TCP connection over
// loopback, whose other end the relay process has. Whatever the kernel can do with a socket works
// on it, in this process and in others.
#ifndef SHIM_STAND_IN_H_
#define SHIM_STAND_IN_H_

namespace socksify {

struct StandIn {
  int application = -1;  // the end that takes the descriptor's place
  int relay = -1;        // the other end
};

// Makes both ends, of the family of the socket `fd`, with its options and file status flags. Both
// are descriptors of the shim's own, and the caller's to close. False with errno. Does not block.
bool MakeStandIn(int fd, StandIn* made);

// What the application has set on `fd` since the stand-in was made.
void CopySettings(int fd, int stand_in);

}  // namespace socksify

#endif  // SHIM_STAND_IN_H_
