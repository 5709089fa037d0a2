#include "shim/exec_check.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lib/io/executable.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/run_environment.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

constexpr size_t kMaxLine = 512;

bool Refuse(const char* path, const char* subject, const char* why) {
  char line[kMaxLine];
  (void)snprintf(line, sizeof line, "%.200s: %s%s; it was not run, since it would go direct",
                 *path != '\0' ? path : "a program given by its descriptor", subject, why);
  Runtime::WarnAnywhere(line);
  errno = EACCES;
  return false;
}

// As another user than root a program has lost its capabilities once it is executed; until then
// they would open every file. Of this thread alone.
class CapabilitiesSetAside {
 public:
  CapabilitiesSetAside() {
    if (geteuid() == 0 || real::syscall(SYS_capget, &header_, before_) != 0) return;
    const __user_cap_data_struct none[2] = {{0, before_[0].permitted, before_[0].inheritable},
                                            {0, before_[1].permitted, before_[1].inheritable}};
    if ((before_[0].effective | before_[1].effective) == 0) return;
    changed_ = real::syscall(SYS_capset, &header_, none) == 0;
  }
  ~CapabilitiesSetAside() {
    if (changed_) (void)real::syscall(SYS_capset, &header_, before_);
  }
  CapabilitiesSetAside(const CapabilitiesSetAside&) = delete;
  CapabilitiesSetAside& operator=(const CapabilitiesSetAside&) = delete;

 private:
  __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2] = {};
  bool changed_ = false;
};

// The dynamic linker would say that it cannot preload the library, and go on without: after
// chroot(2), say, or as another user.
bool IsLibraryThere() {
  const CapabilitiesSetAside without;
  return faccessat(AT_FDCWD, RunEnvironment::library(), R_OK, AT_EACCESS) == 0;
}

bool MayExecuteFrom(int working_directory, int directory, const char* path, int flags,
                    ChildEnvironment::For process) {
  if (ChildEnvironment::IsLeftAlone(process)) return true;
  const int saved_errno = errno;
  Executable found = Executable::Inspect(directory, path, flags, working_directory);
  if (found.verdict == Executable::Verdict::kError && found.error == EMFILE) {
    const DescriptorHeadroom headroom;
    found = Executable::Inspect(directory, path, flags, working_directory);
  }
  if (found.verdict == Executable::Verdict::kError && found.error == EBADF &&
      working_directory != AT_FDCWD) {
    return Refuse(path, "looked for in a directory that only the new process will have",
                  ", so that nobody can tell whether it can be wrapped");
  }
  if (found.verdict == Executable::Verdict::kError &&
      (found.error == EMFILE || found.error == ENFILE || found.error == ENOMEM)) {
    errno = found.error;  // nobody can tell; execve has these errors, too
    return false;
  }
  if (found.refused()) {
    // Shells go on with the next directory of PATH, which may be the same by another name.
    static std::atomic<uint64_t> told{0};
    if (told.exchange(found.file) == found.file) return errno = EACCES, false;
    char subject[Executable::kHeadSize + 32] = "";
    if (found.interpreter[0] != '\0') {
      (void)snprintf(subject, sizeof subject, "its interpreter %s is ", found.interpreter);
    }
    return Refuse(path, subject, found.why());
  }
  if (found.verdict == Executable::Verdict::kWrapped && !IsLibraryThere()) {
    return Refuse(path, "the preloaded library cannot be read from here, ",
                  RunEnvironment::library());
  }
  errno = saved_errno;
  return true;
}

}  // namespace

bool MayExecute(int directory, const char* path, int flags, ChildEnvironment::For process) {
  return MayExecuteFrom(AT_FDCWD, directory, path, flags, process);
}

bool MaySpawnIn(int directory, const char* path) {
  return MayExecuteFrom(directory, directory, path, 0, ChildEnvironment::For::kNewProcess);
}

}  // namespace socksify
