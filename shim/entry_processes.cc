// Processes: a program that is executed does not know the sessions of this one, so those that it
// inherits are detached (detach.h). At the end, what has been accepted is sent.
#include <spawn.h>

#include <alloca.h>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "shim/detach.h"
#include "shim/entry.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/service.h"

namespace socksify {
namespace {

// At the end of this program, by exit or by exec: the service's threads, which have the tails, go.
__attribute__((destructor)) void LeaveTails() {
  if (!InVforkChild()) Service::LeaveTails();
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int execve(const char* path, char* const argv[], char* const environment[]) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::execve(path, argv, environment);
}
EXPORT int execv(const char* path, char* const argv[]) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::execv(path, argv);
}
EXPORT int execvp(const char* file, char* const argv[]) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::execvp(file, argv);
}
EXPORT int execvpe(const char* file, char* const argv[], char* const environment[]) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::execvpe(file, argv, environment);
}
EXPORT int fexecve(int fd, char* const argv[], char* const environment[]) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::fexecve(fd, argv, environment);
}
EXPORT int execveat(int directory, const char* path, char* const argv[], char* const environment[],
                    int flags) noexcept {
  LeaveTails();
  ExecFence fence;
  return real::execveat(directory, path, argv, environment, flags);
}

// The arguments from `first` to the null pointer, as an array on the caller's stack: no allocation,
// it may be vfork's child that calls.
#define GATHER_ARGUMENTS(first, last_argument)                            \
  va_list arguments;                                                      \
  va_start(arguments, first);                                             \
  size_t count = 1;                                                       \
  while (va_arg(arguments, char*) != nullptr) ++count;                    \
  va_end(arguments);                                                      \
  auto** argv = static_cast<char**>(alloca((count + 1) * sizeof(char*))); \
  va_start(arguments, first);                                             \
  argv[0] = const_cast<char*>(first);                                     \
  for (size_t i = 1; i <= count; ++i) argv[i] = va_arg(arguments, char*); \
  [[maybe_unused]] auto last_argument = [&] { return va_arg(arguments, char* const*); }

EXPORT int execl(const char* path, const char* argument, ...) noexcept {
  GATHER_ARGUMENTS(argument, unused);
  va_end(arguments);
  return execv(path, argv);
}
EXPORT int execlp(const char* file, const char* argument, ...) noexcept {
  GATHER_ARGUMENTS(argument, unused);
  va_end(arguments);
  return execvp(file, argv);
}
EXPORT int execle(const char* path, const char* argument, ...) noexcept {
  GATHER_ARGUMENTS(argument, environment);
  char* const* given = environment();
  va_end(arguments);
  return execve(path, argv, given);
}

EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                       const posix_spawnattr_t* attributes, char* const argv[],
                       char* const environment[]) {
  ExecFence fence;
  return real::posix_spawn(pid, path, actions, attributes, argv, environment);
}
EXPORT int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                        const posix_spawnattr_t* attributes, char* const argv[],
                        char* const environment[]) {
  ExecFence fence;
  return real::posix_spawnp(pid, file, actions, attributes, argv, environment);
}

// The program that is spawned will have it.
EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* actions, int fd,
                                            int to) noexcept {
  if (!DetachDescriptor(fd)) return errno;
  return real::posix_spawn_file_actions_adddup2(actions, fd, to);
}

// vfork(2) returns twice from one call, so it is gone on to with the caller's own frame.
extern "C" void* socksify_prepare_vfork() {
  const int saved_errno = errno;
  if (!InVforkChild()) BeforeAnyFork();
  errno = saved_errno;
  return reinterpret_cast<void*>(real::vfork.get());
}
asm(".text\n"
    ".globl vfork\n"
    ".type vfork, @function\n"
    "vfork:\n"
    "  endbr64\n"
    "  subq $8, %rsp\n"
    "  call socksify_prepare_vfork\n"
    "  addq $8, %rsp\n"
    "  jmp *%rax\n"
    ".size vfork, . - vfork\n");

EXPORT int system(const char* command) {
  ExecFence fence;
  return real::system(command);
}
EXPORT FILE* popen(const char* command, const char* mode) {
  ExecFence fence;
  return real::popen(command, mode);
}

EXPORT void _exit(int status) {
  LeaveTails();
  real::_exit(status);
  __builtin_unreachable();
}
EXPORT void _Exit(int status) noexcept { _exit(status); }
