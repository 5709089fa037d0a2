// What fork, exec and exit mean for the connections.
#ifndef SHIM_PROCESS_H_
#define SHIM_PROCESS_H_

namespace socksify {

// Registers the fork handlers, the first time. Called before the table says anything about a
// descriptor.
void PrepareForForks();

// Have they been? Until then nothing here is the shim's.
bool PreparedForForks();

// Is this the child of vfork, which borrows the parent's memory but has descriptors of its own?
// Then the table is the parent's and stays as it is. A child made without fork(3) is noticed here,
// and made whole.
bool InVforkChild();

// Before fork of any kind: children can ask for the sessions that live here.
void BeforeAnyFork();

}  // namespace socksify

#endif  // SHIM_PROCESS_H_
