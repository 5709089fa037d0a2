// The dynamic linker: ways to libc's functions that would lead past the shim.
//
// What dlopen and dlsym do depends on who calls them: whose RUNPATH is searched, what RTLD_NEXT is
// next to. So they are left by a jump that keeps the caller's return address, but for what does not
// depend on it.
#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <cstring>

#include "shim/child_environment.h"
#include "shim/entry.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/run_environment.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

// The object that `address` is in; null when it is in none.
link_map* ObjectOf(void* address) {
  dl_find_object found;
  return _dl_find_object(address, &found) == 0 ? found.dlfo_link_map : nullptr;
}

// By version, since dlsym itself is what is looked for. GLIBC_2.34 moved these into libc.
void* BindLoaderCall(const char* name) {
  void* bound = dlvsym(RTLD_NEXT, name, "GLIBC_2.34");
  return bound != nullptr ? bound : dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5");
}

using DlsymFunction = void* (*)(void*, const char*);
using DlopenFunction = void* (*)(const char*, int);
using DlmopenFunction = void* (*)(Lmid_t, const char*, int);

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

extern "C" {

__attribute__((visibility("hidden"))) void* socksify_real_dlsym = nullptr;
__attribute__((visibility("hidden"))) void* socksify_real_dlopen = nullptr;
__attribute__((visibility("hidden"))) void* socksify_real_dlmopen = nullptr;

__attribute__((visibility("hidden"))) void socksify_bind_loader() {
  const int saved_errno = errno;
  socksify_real_dlopen = BindLoaderCall("dlopen");
  socksify_real_dlmopen = BindLoaderCall("dlmopen");
  socksify_real_dlsym = BindLoaderCall("dlsym");
  errno = saved_errno;
}

// Of a library by its handle, such as libc's: a function that the shim stands in for is the shim's.
__attribute__((visibility("hidden"))) void* socksify_dlsym(void* handle, const char* name) {
  static link_map* const own = ObjectOf(reinterpret_cast<void*>(&socksify_dlsym));
  static link_map* const libc = ObjectOf(reinterpret_cast<void*>(&gnu_get_libc_version));
  const auto find = reinterpret_cast<DlsymFunction>(socksify_real_dlsym);
  void* found = find(handle, name);
  const bool is_ring = strncmp(name, "io_", 3) == 0;  // liburing's and libaio's
  if (found == nullptr || (ObjectOf(found) != libc && !is_ring) || own == nullptr) return found;
  static void* const handle_of_own = reinterpret_cast<DlopenFunction>(socksify_real_dlopen)(
      RunEnvironment::library(), RTLD_NOW | RTLD_NOLOAD);
  void* ours = find(handle_of_own, name);  // searches what we need as well, libc
  return ours != nullptr && ObjectOf(ours) == own ? ours : found;
}

// A namespace of its own has a libc of its own, where nothing can be wrapped. What dlerror() then
// says is the name that was not found.
__attribute__((visibility("hidden"))) void* socksify_dlmopen(Lmid_t space, const char* path,
                                                             int flags) {
  const auto open = reinterpret_cast<DlmopenFunction>(socksify_real_dlmopen);
  if (ChildEnvironment::IsLeftAlone(ChildEnvironment::For::kThisProcess)) {
    return open(space, path, flags);
  }
  (void)Runtime::GetConfig();  // says where to log
  ReportOnce("a library was not loaded into a namespace of its own (dlmopen): it would go direct");
  return open(LM_ID_BASE, "socksify-gss: no namespace of its own can be wrapped", RTLD_NOW);
}

}  // extern "C"

// BEGIN name: the real call's address in %r11, arguments kept. Then the function goes on, or
// leaves.
asm(R"(
.macro socksify_loader_call name
        .globl  \name
        .type   \name, @function
\name:
        endbr64
        cmpq    $0, socksify_real_\name(%rip)
        jne     1f
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        call    socksify_bind_loader
        popq    %rdx
        popq    %rsi
        popq    %rdi
1:
.endm

        .text
        socksify_loader_call dlsym
        leaq    1(%rdi), %rax           # RTLD_NEXT is -1, RTLD_DEFAULT 0
        cmpq    $1, %rax
        ja      socksify_dlsym
        jmp     *socksify_real_dlsym(%rip)
        .size   dlsym, . - dlsym

        socksify_loader_call dlopen
        andl    $~8, %esi               # RTLD_DEEPBIND would have the library find libc's before ours
        jmp     *socksify_real_dlopen(%rip)
        .size   dlopen, . - dlopen

        socksify_loader_call dlmopen
        testq   %rdi, %rdi              # LM_ID_BASE: as dlopen
        jne     socksify_dlmopen
        andl    $~8, %edx
        jmp     *socksify_real_dlmopen(%rip)
        .size   dlmopen, . - dlmopen
)");

static_assert(RTLD_DEEPBIND == 8 && LM_ID_BASE == 0);

// Sanitizers' runtimes ask these. A program's own answer comes first.
EXPORT const char* __asan_default_options() { return "verify_asan_link_order=0"; }
EXPORT const char* __tsan_default_suppressions() {  // whose atomics it does not see
  return "race:libsocksify-gss\nmutex:libsocksify-gss\ndeadlock:libsocksify-gss\n"
         "thread:libsocksify-gss\nsignal:libsocksify-gss\n";
}
