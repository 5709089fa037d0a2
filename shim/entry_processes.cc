// Processes: a program that is executed does not know the sessions of this one, so those that it
// inherits are detached (detach.h). It is wrapped, whatever its environment was to be
// (child_environment.h), or not executed (exec_check.h). At the end, what has been accepted is
// sent.
#include <alloca.h>
#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <wordexp.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "lib/io/executable.h"
#include "shim/child_environment.h"
#include "shim/detach.h"
#include "shim/entry.h"
#include "shim/exec_check.h"
#include "shim/guard.h"
#include "shim/home.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/run_environment.h"
#include "shim/service.h"
#include "shim/spawn_directory.h"

namespace socksify {
namespace {

using How = Service::How;

// At the end of this program, by exit or by exec: the service's threads, which have the tails, go.
void End(How how) {
  if (PreparedForForks() && !InVforkChild()) Service::End(how);
}

__attribute__((destructor)) void EndInOrder() { End(How::kInOrder); }

// Registered before any handler of the program's, and so run after them; not so those of libraries
// that are initialised before this one.
__attribute__((constructor)) void EndAtQuickExit() { (void)at_quick_exit(&EndInOrder); }

// Will execve(2) of it succeed, as far as can be told? Asked only where it matters.
bool CanExecute(int directory, const char* path, int flags) {
  struct stat status;
  return Connection::AnyToTell() &&
         fstatat(directory, path, &status, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) == 0 &&
         S_ISREG(status.st_mode) &&
         ((flags & AT_EMPTY_PATH) != 0 || faccessat(directory, path, X_OK, AT_EACCESS) == 0);
}

using For = ChildEnvironment::For;

// This program is about to be replaced: what it has sent goes, what the next one inherits is plain.
class Departure {
 public:
  explicit Departure(bool certain) { End(certain ? How::kInOrder : How::kBrokenOff); }
  ~Departure() {  // it was not
    if (InVforkChild()) return;
    Home::GoOn();
    Connection::KeepAll();
  }
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;

 private:
  const ExecFence fence_;
};

int Execute(const char* path, char* const argv[], char* const environment[]) {
  if (!MayExecute(AT_FDCWD, path, 0, For::kThisProcess)) return -1;
  const Departure departure(CanExecute(AT_FDCWD, path, 0));
  return WithChildEnvironment(environment, For::kThisProcess,
                              [&](char* const* given) { return real::execve(path, argv, given); });
}

int ExecuteAt(int directory, const char* path, char* const argv[], char* const environment[],
              int flags) {
  if (!MayExecute(directory, path, flags, For::kThisProcess)) return -1;
  const Departure departure(CanExecute(directory, path, flags));
  return WithChildEnvironment(environment, For::kThisProcess, [&](char* const* given) {
    return real::execveat(directory, path, argv, given, flags);
  });
}

// What execve does not know goes to the shell, with the arguments but the first.
int ExecuteAsScript(const char* path, char* const argv[], char* const given[]) {
  size_t count = 0;
  while (argv[count] != nullptr) ++count;
  auto** arguments = static_cast<char**>(alloca((count + 3) * sizeof(char*)));
  char** to = arguments;
  *to++ = const_cast<char*>(_PATH_BSHELL);
  *to++ = const_cast<char*>(path);
  for (size_t i = 1; i < count; ++i) *to++ = argv[i];
  *to = nullptr;
  if (!MayExecute(AT_FDCWD, _PATH_BSHELL, 0, For::kThisProcess)) return -1;
  return real::execve(_PATH_BSHELL, arguments, given);
}

// As execvpe(3), but that the search ends where a file is refused.
int ExecuteByName(const char* file, char* const argv[], char* const environment[]) {
  return WithChildEnvironment(environment, For::kThisProcess, [&](char* const* given) {
    PathSearch search(file);
    while (const char* path = search.Next()) {
      if (!MayExecute(AT_FDCWD, path, 0, For::kThisProcess)) return -1;
      const Departure departure(CanExecute(AT_FDCWD, path, 0));
      (void)real::execve(path, argv, given);
      if (errno == ENOEXEC) (void)ExecuteAsScript(path, argv, given);
      if (!search.GoesOn(errno)) return -1;
    }
    return FailWith(search.error());
  });
}

bool MaySpawn(const char* path, const posix_spawn_file_actions_t* actions) {
  const SpawnDirectory directory(actions);
  if (directory.error() != 0) return errno = directory.error(), false;
  return MaySpawnIn(directory.fd(), path);
}

// The file that posix_spawnp(3) would execute: the first that can be.
bool MaySpawnByName(const char* file, const posix_spawn_file_actions_t* actions) {
  const SpawnDirectory directory(actions);
  if (directory.error() != 0) return errno = directory.error(), false;
  PathSearch search(file);
  while (const char* path = search.Next()) {
    struct stat status;
    if (fstatat(directory.fd(), path, &status, 0) == 0) {
      if (!S_ISREG(status.st_mode)) continue;
      if (faccessat(directory.fd(), path, X_OK, AT_EACCESS) != 0) continue;
    } else if (errno != EBADF) {  // else nobody knows what will be there
      continue;
    }
    return MaySpawnIn(directory.fd(), path);
  }
  return true;
}

// libc is about to start the shell, with the environment as it is.
bool PrepareForShell() {
  if (!MayExecute(AT_FDCWD, _PATH_BSHELL, 0, For::kNewProcess)) return false;
  ChildEnvironment::CompleteOwn();
  return true;
}

}  // namespace
}  // namespace socksify

using namespace socksify;  // NOLINT: the functions below are libc's

EXPORT int execve(const char* path, char* const argv[], char* const environment[]) noexcept {
  return Execute(path, argv, environment);
}
EXPORT int execv(const char* path, char* const argv[]) noexcept {
  return Execute(path, argv, environ);
}
EXPORT int execvp(const char* file, char* const argv[]) noexcept {
  return ExecuteByName(file, argv, environ);
}
EXPORT int execvpe(const char* file, char* const argv[], char* const environment[]) noexcept {
  return ExecuteByName(file, argv, environment);
}
EXPORT int fexecve(int fd, char* const argv[], char* const environment[]) noexcept {
  if (fd < 0) return FailWith(EINVAL);
  return ExecuteAt(fd, "", argv, environment, AT_EMPTY_PATH);
}
EXPORT int execveat(int directory, const char* path, char* const argv[], char* const environment[],
                    int flags) noexcept {
  return ExecuteAt(directory, path, argv, environment, flags);
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
  if (!MaySpawn(path, actions)) return errno;
  ExecFence fence;
  return WithChildEnvironment(environment, For::kNewProcess, [&](char* const* given) {
    return real::posix_spawn(pid, path, actions, attributes, argv, given);
  });
}
EXPORT int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                        const posix_spawnattr_t* attributes, char* const argv[],
                        char* const environment[]) {
  if (!MaySpawnByName(file, actions)) return errno;
  ExecFence fence;
  return WithChildEnvironment(environment, For::kNewProcess, [&](char* const* given) {
    return real::posix_spawnp(pid, file, actions, attributes, argv, given);
  });
}

// The program that is spawned will have it.
EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t* actions, int fd,
                                            int to) noexcept {
  if (!DetachDescriptorForGood(fd)) return errno;
  const int error = real::posix_spawn_file_actions_adddup2(actions, fd, to);
  if (error == 0 && fd != to) SpawnDirectory::NoteMade(actions, to);
  return error;
}

EXPORT int posix_spawn_file_actions_init(posix_spawn_file_actions_t* actions) noexcept {
  SpawnDirectory::Forget(actions);
  return real::posix_spawn_file_actions_init(actions);
}
EXPORT int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t* actions) noexcept {
  SpawnDirectory::Forget(actions);
  return real::posix_spawn_file_actions_destroy(actions);
}
EXPORT int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t* actions, int fd,
                                            const char* path, int flags, mode_t mode) noexcept {
  const int error = real::posix_spawn_file_actions_addopen(actions, fd, path, flags, mode);
  if (error == 0) SpawnDirectory::NoteMade(actions, fd);
  return error;
}
EXPORT int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t* actions,
                                                const char* path) noexcept {
  const int error = real::posix_spawn_file_actions_addchdir_np(actions, path);
  if (error == 0) SpawnDirectory::NoteChange(actions, path);
  return error;
}
EXPORT int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t* actions,
                                                 int fd) noexcept {
  const int error = real::posix_spawn_file_actions_addfchdir_np(actions, fd);
  if (error == 0) SpawnDirectory::NoteChange(actions, fd);
  return error;
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
  if (command != nullptr && !PrepareForShell()) return 127 << 8;  // as if exec had failed
  ExecFence fence;
  return real::system(command);
}
EXPORT FILE* popen(const char* command, const char* mode) {
  if (!PrepareForShell()) return nullptr;
  ExecFence fence;
  return real::popen(command, mode);
}
EXPORT int wordexp(const char* words, wordexp_t* expanded, int flags) {
  if ((flags & WRDE_NOCMD) == 0 && !PrepareForShell()) flags |= WRDE_NOCMD;
  ExecFence fence;
  return real::wordexp(words, expanded, flags);
}

EXPORT void _exit(int status) {
  End(How::kInOrder);
  real::_exit(status);
  __builtin_unreachable();
}
EXPORT void pthread_exit(void* result) {
  if (gettid() == getpid() && !InVforkChild()) Service::MainLeaves();
  real::pthread_exit(result);
  __builtin_unreachable();
}
EXPORT void _Exit(int status) noexcept { _exit(status); }
EXPORT void abort() noexcept {
  End(How::kBrokenOff);
  if (!InVforkChild()) Home::GoOn();  // a handler may jump out
  real::abort();
  __builtin_unreachable();
}

// The kernel has these from a process of one thread alone, or has them concern its other threads,
// which must not be the shim's.
EXPORT int unshare(int flags) noexcept {
  Service::Retire();
  return real::unshare(flags);
}
EXPORT int setns(int fd, int type) noexcept {
  Service::Retire();
  return real::setns(fd, type);
}
EXPORT int prctl(int option, ...) noexcept {
  va_list list;
  va_start(list, option);
  unsigned long arguments[4];
  for (unsigned long& argument : arguments) argument = va_arg(list, unsigned long);
  va_end(list);
  if (option == PR_SET_SECCOMP) Service::Retire();
  return real::prctl(option, arguments[0], arguments[1], arguments[2], arguments[3]);
}

// A program may have cleared its environment: libkrb5, when it works for the shim, finds the
// credentials of the run all the same.
EXPORT char* secure_getenv(const char* name) noexcept {
  char* value = real::secure_getenv(name);
  if (value != nullptr || !Guard::active()) return value;
  return const_cast<char*>(RunEnvironment::Get(name));
}
