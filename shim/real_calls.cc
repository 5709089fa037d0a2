#include "shim/real_calls.h"

#include <dlfcn.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

namespace socksify::real {
namespace {

// Nothing may be interposed here, or allocate.
[[noreturn]] void Die(const char* name) {
  static constexpr char kMessage[] = "socksify-gss: libc has no ";
  iovec parts[] = {{const_cast<char*>(kMessage), sizeof kMessage - 1},
                   {const_cast<char*>(name), strlen(name)},
                   {const_cast<char*>("\n"), 1}};
  asm volatile("syscall" : : "a"(SYS_writev), "D"(2), "S"(parts), "d"(3) : "rcx", "r11", "memory");
  __builtin_trap();
}

}  // namespace

void* Bind(const char* name) {
  const int saved_errno = errno;
  void* bound = dlsym(RTLD_NEXT, name);
  if (bound == nullptr) Die(name);
  errno = saved_errno;
  return bound;
}

}  // namespace socksify::real
