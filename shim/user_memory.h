// Is the application's memory there? The kernel answers a bad pointer with EFAULT; code in the
// process would crash on it. So the first and the last word of what is to be touched are shown to
// the kernel before, in calls that have no effect.
#ifndef SHIM_USER_MEMORY_H_
#define SHIM_USER_MEMORY_H_

#include <cstddef>

namespace socksify {

bool IsReadable(const void* memory, size_t size);
bool IsWritable(void* memory, size_t size);

}  // namespace socksify

#endif  // SHIM_USER_MEMORY_H_
