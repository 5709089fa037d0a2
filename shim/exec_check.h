// Programs that would run without this library are not executed.
#ifndef SHIM_EXEC_CHECK_H_
#define SHIM_EXEC_CHECK_H_

#include "shim/child_environment.h"

namespace socksify {

// May the file that execveat(directory, path, flags) would execute be executed? If not, one line in
// the log says why, and errno is what the call is to fail with. What the kernel refuses by itself
// is left to it. No allocation: for the children of fork and vfork.
bool MayExecute(int directory, const char* path, int flags, ChildEnvironment::For process);

// The same for a new process that will be in `directory` (spawn_directory.h).
bool MaySpawnIn(int directory, const char* path);

}  // namespace socksify

#endif  // SHIM_EXEC_CHECK_H_
