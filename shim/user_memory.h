// Is the application's memory there? The kernel answers a bad pointer with EFAULT; code in the
// process would crash on it. So what is to be touched is shown to the kernel before, in calls that
// have no effect.
#ifndef SHIM_USER_MEMORY_H_
#define SHIM_USER_MEMORY_H_

#include <sys/uio.h>

#include <cstddef>

namespace socksify {

// Octets that the vectors, which can be read, describe.
inline size_t TotalSize(const iovec* vectors, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += vectors[i].iov_len;
  return total;
}

// The first and the last octet: all of it where `size` is at most a page's, and cheap at any size.
bool IsReadable(const void* memory, size_t size);
bool IsWritable(void* memory, size_t size);

// Every page between as well. What is not in memory yet is brought in: ask only for what will be
// touched.
bool IsAllReadable(const void* memory, size_t size);
bool IsAllWritable(void* memory, size_t size);

}  // namespace socksify

#endif  // SHIM_USER_MEMORY_H_
