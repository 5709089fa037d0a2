// A file before it is executed: would a library in LD_PRELOAD come along?
//
// No allocation and no lock, and pread(2) alone reads: for the child of fork or vfork as well. What
// it says may be out of date when the file is executed: it serves programs that mean well.
#ifndef LIB_IO_EXECUTABLE_H_
#define LIB_IO_EXECUTABLE_H_

#include <fcntl.h>
#include <limits.h>

#include <cstddef>
#include <cstdint>

namespace socksify {

struct Executable {
  enum class Verdict : uint8_t {
    kWrapped,       // it would come along
    kText,          // no program, and no octet that text does not have: execvp asks the shell
    kUnknown,       // of no format known here; most likely execve says ENOEXEC
    kError,         // it is not there, or no file; `error` says why
    kUnreadable,    // nobody can tell
    kStatic,        // no dynamic linker
    kOtherMachine,  // the linker could not load our library
    kOtherLinker,   // likewise: of another C library
    kPrivileged,    // the linker ignores LD_PRELOAD when privileges change (AT_SECURE)
  };
  static constexpr size_t kHeadSize = 256;  // the kernel's BINPRM_BUF_SIZE: it looks no further

  Verdict verdict = Verdict::kError;
  int error = 0;                  // errno, for kError
  uint64_t file = 0;              // tells the file from others, unless the verdict is kError
  char interpreter[kHeadSize]{};  // the last "#!" program, if that is what the verdict is about

  // The file that execveat(directory, path, flags) would execute, "#!" lines followed: from
  // `working_directory`.
  static Executable Inspect(int directory, const char* path, int flags,
                            int working_directory = AT_FDCWD);

  // Must not be executed: it would run without the library.
  bool refused() const { return verdict >= Verdict::kUnreadable; }
  // Why not, to follow "it is " or "its interpreter is ".
  const char* why() const;
};

// The files that execvp(3) tries for a command, in its order.
class PathSearch {
 public:
  explicit PathSearch(const char* command);

  // The next file's path, valid until the next call; null at the end.
  const char* Next();
  // Should the search go on after execve has said this? Remembers what execvp reports in the end.
  bool GoesOn(int error);
  int error() const { return error_; }

 private:
  const char* command_;
  const char* list_;  // what is left of PATH; null: nothing
  size_t length_;
  int error_;
  char path_[PATH_MAX + NAME_MAX + 2];
};

}  // namespace socksify

#endif  // LIB_IO_EXECUTABLE_H_
