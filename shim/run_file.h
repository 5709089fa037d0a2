// Files that all processes of one run have mapped (SOCKSIFY_RUN names the run): what one process
// writes there, its parent and children see. They lie in a directory of the user's own, and stay
// for a day after the run.
#ifndef SHIM_RUN_FILE_H_
#define SHIM_RUN_FILE_H_

#include <cstddef>

namespace socksify {

// Maps the run's file of that suffix, `size` octets, zero at first and sparse; made if it is not
// there. Where there can be none: memory that children forked from now on share. Null with errno
// when not even that is to be had. Never unmapped. Blocks on the disk.
void* MapRunFile(const char* suffix, size_t size);

// Has the file system room for these octets of a mapping, so that they may be written to?
bool Reserve(void* octets, size_t count);

}  // namespace socksify

#endif  // SHIM_RUN_FILE_H_
