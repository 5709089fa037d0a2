#include "shim/user_memory.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>

namespace socksify {
namespace {

constexpr uintptr_t kPage = 4096;
constexpr uintptr_t kEnd = uintptr_t{1} << 47;  // of a process's addresses

long RawSyscall(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// The kernel reads the signal set before it looks at `how`, which is invalid.
bool IsWordReadable(uintptr_t address) {
  return RawSyscall(SYS_rt_sigprocmask, -1, static_cast<long>(address & ~uintptr_t{7}), 0, 8, 0,
                    0) != -EFAULT;
}

// Adds nothing to the word, atomically, and wakes nobody.
bool IsWordWritable(uintptr_t address) {
  static int unused;
  constexpr int kAddNothing = FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0);
  return RawSyscall(SYS_futex, reinterpret_cast<long>(&unused), FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG,
                    0, 0, static_cast<long>(address & ~uintptr_t{3}), kAddNothing) != -EFAULT;
}

template <typename Check>
bool CheckEnds(uintptr_t first, size_t size, Check check) {
  if (size == 0) return true;
  if (first < kPage || first >= kEnd || size > kEnd - first) return false;
  const uintptr_t last = first + size - 1;
  return check(first) && (first / kPage == last / kPage || check(last));
}

// `advice` has the kernel fault the pages in as an access of that kind would, in one call. Where it
// says no (also: it is too old, the memory is a device's), each page is looked at.
template <typename Check>
bool CheckAll(uintptr_t first, size_t size, int advice, Check check) {
  if (!CheckEnds(first, size, check)) return false;
  if (size <= kPage) return true;
  const uintptr_t page = first & ~(kPage - 1), end = first + size;
  if (RawSyscall(SYS_madvise, static_cast<long>(page), static_cast<long>(end - page), advice, 0, 0,
                 0) == 0) {
    return true;
  }
  for (uintptr_t at = page + kPage; at < end; at += kPage) {
    if (!check(at)) return false;
  }
  return true;
}

}  // namespace

bool IsReadable(const void* memory, size_t size) {
  return CheckEnds(reinterpret_cast<uintptr_t>(memory), size, &IsWordReadable);
}

bool IsWritable(void* memory, size_t size) {
  return CheckEnds(reinterpret_cast<uintptr_t>(memory), size, &IsWordWritable);
}

bool IsAllReadable(const void* memory, size_t size) {
  return CheckAll(reinterpret_cast<uintptr_t>(memory), size, MADV_POPULATE_READ, &IsWordReadable);
}

bool IsAllWritable(void* memory, size_t size) {
  return CheckAll(reinterpret_cast<uintptr_t>(memory), size, MADV_POPULATE_WRITE, &IsWordWritable);
}

}  // namespace socksify
