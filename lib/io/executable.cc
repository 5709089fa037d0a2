#include "lib/io/executable.h"

#include <elf.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <link.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace socksify {
namespace {

using Verdict = Executable::Verdict;

constexpr int kMaxInterpreters = 5;  // then the kernel says ELOOP
constexpr char kOwnLinker[] = "/lib64/" LD_SO;

#if defined(__x86_64__)
constexpr ElfW(Half) kOwnMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr ElfW(Half) kOwnMachine = EM_AARCH64;
#endif
constexpr unsigned char kOwnClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOwnOrder =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

bool ReadAt(int fd, void* octets, size_t count, uint64_t offset) {
  return pread(fd, octets, count, static_cast<off_t>(offset)) == static_cast<ssize_t>(count);
}

// Would the kernel set AT_SECURE? It does when the effective ids come out other than the real ones
// are now, also if nothing in the file has them change, and for file capabilities unless root
// executes them. no_new_privs switches set-user-ID off, and of capabilities only the gain.
bool GainsPrivileges(int fd, const struct stat& file) {
  uid_t user = geteuid();
  gid_t group = getegid();
  struct statvfs system;
  const bool honoured = fstatvfs(fd, &system) != 0 || (system.f_flag & ST_NOSUID) == 0;
  if (honoured && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
    if ((file.st_mode & S_ISUID) != 0) user = file.st_uid;
    // Without the group's execute bit, set-group-ID means mandatory locking (inode(7)).
    if ((file.st_mode & S_ISGID) != 0 && (file.st_mode & S_IXGRP) != 0) group = file.st_gid;
  }
  if (user != getuid() || group != getgid()) return true;
  return honoured && getuid() != 0 && fgetxattr(fd, "security.capability", nullptr, 0) > 0;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Looks for PT_INTERP. kUnknown: the kernel would not take the file.
Verdict JudgeLinker(int fd, const ElfW(Ehdr) & header, const struct stat& file) {
  if (header.e_phentsize != sizeof(ElfW(Phdr))) return Verdict::kUnknown;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    if (!ReadAt(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment)) {
      return Verdict::kUnknown;
    }
    if (segment.p_type != PT_INTERP) continue;
    char linker[Executable::kHeadSize] = {};
    if (segment.p_filesz < 2 || segment.p_filesz > PATH_MAX) return Verdict::kUnknown;
    if (!ReadAt(fd, linker, std::min(segment.p_filesz, sizeof linker - 1), segment.p_offset)) {
      return Verdict::kUnknown;
    }
    return BaseName(linker) == LD_SO ? Verdict::kWrapped : Verdict::kOtherLinker;
  }
  struct stat own;  // the dynamic linker itself, told what to run
  if (stat(kOwnLinker, &own) == 0 && own.st_dev == file.st_dev && own.st_ino == file.st_ino) {
    return Verdict::kWrapped;
  }
  return Verdict::kStatic;
}

Verdict JudgeElf(int fd, std::string_view head, const struct stat& file) {
  ElfW(Ehdr) header;
  if (head.size() < sizeof header) return Verdict::kUnknown;
  memcpy(&header, head.data(),
         sizeof header);  // e_type and e_machine: the same place in both classes
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) return Verdict::kUnknown;
  if (header.e_ident[EI_CLASS] != kOwnClass || header.e_ident[EI_DATA] != kOwnOrder ||
      header.e_machine != kOwnMachine) {
    return Verdict::kOtherMachine;
  }
  const Verdict verdict = JudgeLinker(fd, header, file);
  return verdict == Verdict::kWrapped && GainsPrivileges(fd, file) ? Verdict::kPrivileged : verdict;
}

// "#!" blanks INTERPRETER [blanks ARGUMENT]
void CopyInterpreter(std::string_view head, char* interpreter) {
  constexpr std::string_view kBlanks = " \t";
  std::string_view line = head.substr(2, head.find_first_of(std::string_view("\n\0", 2)) - 2);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  line = line.substr(0, line.find_first_of(kBlanks));
  interpreter[line.copy(interpreter, Executable::kHeadSize - 1)] = '\0';
}

// Of the open file, which may be a script: then `interpreter` is its program.
Verdict Judge(int fd, char* interpreter, Executable* found) {
  struct stat file;
  char octets[Executable::kHeadSize];
  *interpreter = '\0';
  if (fstat(fd, &file) != 0) return found->error = errno, Verdict::kError;
  if (!S_ISREG(file.st_mode)) return found->error = EACCES, Verdict::kError;
  found->file = file.st_ino ^ file.st_dev << 48;
  const ssize_t count = pread(fd, octets, sizeof octets, 0);
  if (count < 0) return Verdict::kUnreadable;
  const std::string_view head(octets, static_cast<size_t>(count));
  if (head.starts_with(std::string_view(ELFMAG, SELFMAG))) return JudgeElf(fd, head, file);
  if (head.starts_with("#!")) return CopyInterpreter(head, interpreter), Verdict::kText;
  const bool text = head.substr(0, head.find('\n')).find('\0') == std::string_view::npos;
  return text ? Verdict::kText : Verdict::kUnknown;
}

int OpenFile(int directory, const char* path, int flags) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if ((flags & AT_EMPTY_PATH) != 0 && *path == '\0') {  // perhaps opened by O_PATH alone
    char itself[32];
    (void)snprintf(itself, sizeof itself, "/proc/self/fd/%d", directory);
    const int fd = open(itself, kFlags);
    return fd >= 0 ? fd : fcntl(directory, F_DUPFD_CLOEXEC, 0);
  }
  return openat(directory, path, kFlags | ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0));
}

}  // namespace

Executable Executable::Inspect(int directory, const char* path, int flags, int working_directory) {
  Executable found;
  char next[kHeadSize];
  for (int depth = 0; depth <= kMaxInterpreters; ++depth) {
    const int fd = OpenFile(directory, path, flags);
    if (fd >= 0) {
      found.verdict = Judge(fd, next, &found);
      close(fd);
    } else {
      found.error = errno;
      found.verdict = found.error == EACCES ? Verdict::kUnreadable : Verdict::kError;
    }
    if (found.refused() && faccessat(directory, path, X_OK, AT_EACCESS | flags) != 0) {
      found.verdict = Verdict::kError;  // whatever it is, it cannot be executed
      found.error = errno;
    }
    if (found.verdict != Verdict::kText || *next == '\0') return found;
    memcpy(found.interpreter, next, sizeof next);
    path = found.interpreter;
    directory = working_directory;
    flags = 0;
  }
  found.verdict = Verdict::kError;
  found.error = ELOOP;
  return found;
}

const char* Executable::why() const {
  switch (verdict) {
    case Verdict::kUnreadable:
      return "not readable, so that nobody can tell whether it can be wrapped";
    case Verdict::kStatic:
      return "statically linked, so it cannot be wrapped";
    case Verdict::kOtherMachine:
      return "made for another kind of machine, so it cannot be wrapped";
    case Verdict::kOtherLinker:
      return "run by another dynamic linker, which cannot load the preloaded library";
    case Verdict::kPrivileged:
      return "given other privileges (set-user-ID, set-group-ID, file capabilities), so it cannot "
             "be wrapped";
    case Verdict::kText:
    case Verdict::kUnknown:
      return "neither an ELF program nor a script";
    default:
      return error != 0 ? strerrordesc_np(error) : "";
  }
}

PathSearch::PathSearch(const char* command)
    : command_(command), list_(nullptr), length_(strnlen(command, NAME_MAX + 1)), error_(ENOENT) {
  if (strchr(command, '/') != nullptr || length_ == 0) return;
  if (length_ > NAME_MAX) {
    error_ = ENAMETOOLONG;
    return;
  }
  list_ = getenv("PATH");
  if (list_ == nullptr) list_ = "/bin:/usr/bin";  // as glibc's confstr(_CS_PATH)
}

const char* PathSearch::Next() {
  if (length_ != 0 && strchr(command_, '/') != nullptr) {
    length_ = 0;
    return command_;
  }
  while (list_ != nullptr) {
    const char* end = strchrnul(list_, ':');
    const size_t size = static_cast<size_t>(end - list_);
    const char* directory = list_;
    list_ = *end == '\0' ? nullptr : end + 1;
    if (size >= PATH_MAX) continue;  // as glibc does
    memcpy(path_, directory, size);  // an empty item is the current directory
    path_[size] = '/';
    memcpy(path_ + size + (size != 0), command_, length_ + 1);
    return path_;
  }
  return nullptr;
}

bool PathSearch::GoesOn(int error) {
  switch (error) {
    case EACCES:
      error_ = EACCES;
      return true;
    case ENOENT:
    case ESTALE:
    case ENOTDIR:
    case ENODEV:
    case ETIMEDOUT:
      if (error_ != EACCES) error_ = error;
      return true;
    default:
      error_ = error;
      return false;
  }
}

}  // namespace socksify
