// A process of the shim's own beside the program, which is not the program's to wait for, and says
// nothing when it ends. It has a copy of the program's memory but none of its other threads:
// nothing in it allocates or locks, and no fork handler has run. Made while signals are blocked.
#ifndef SHIM_UNSEEN_PROCESS_H_
#define SHIM_UNSEEN_PROCESS_H_

namespace socksify {

// Do orphans of the process namespace, or of this process's descendants, become its children? Then
// what such a process leaves behind would.
bool AdoptsOrphans();

// As fork(2).
long ForkUnseen();

// Blocks until it has ended.
void AwaitUnseen(long process);

}  // namespace socksify

#endif  // SHIM_UNSEEN_PROCESS_H_
