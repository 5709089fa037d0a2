// Before a descriptor goes where the shim cannot follow (to stdio, to another program, to another
// process, to the kernel's own movers): its session is detached, and the descriptor is a plain
// socket from then on.
#ifndef SHIM_DETACH_H_
#define SHIM_DETACH_H_

#include "shim/connection_ref.h"

namespace socksify {

// Detaches the session on `fd`, if there is one or will be. False with errno when that cannot be
// done: then the descriptor must not go. Also in vfork's child, whose descriptors are its own.
bool DetachDescriptor(int fd);

// The same for whatever the socket is connected to later as well.
bool DetachDescriptorForGood(int fd);

// The connection on `fd`; a fresh socket becomes one, not connected as yet.
ConnectionRef ConnectionToBe(int fd);

// While it lives, a program can be executed: sessions on descriptors that the program would inherit
// have been detached, and those that cannot be are close-on-exec. What the program had set comes
// back afterwards.
class ExecFence {
 public:
  ExecFence();
  ~ExecFence();
  ExecFence(const ExecFence&) = delete;
  ExecFence& operator=(const ExecFence&) = delete;

 private:
  const bool counted_;
};

}  // namespace socksify

#endif  // SHIM_DETACH_H_
