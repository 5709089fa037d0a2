#include "tools/socksify-gss/program.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tools/socksify-gss/elf_file.h"

namespace socksify {
namespace {

constexpr int kMaxInterpreters = 8;  // the kernel gives up earlier (ELOOP)
constexpr char kNothingDirect[] = "; nothing was run, since it would go direct";

Finding CannotRun(const std::string& path, const std::string& why) {
  return {kExitCannotRun, path + ": " + why};
}

// errno as execve would give it; 0 when the file can be executed.
int ExecutionError(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

// Would the kernel start this program with other privileges than ours? The dynamic linker then
// ignores LD_PRELOAD paths (AT_SECURE).
bool GainsPrivileges(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return false;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return false;
  struct statvfs system;
  if (statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOSUID) != 0) return false;
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid()) return true;
  // Without the group's execute bit, set-group-ID means mandatory locking (inode(7)).
  const bool set_group = (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0;
  if (set_group && status.st_gid != getegid()) return true;
  return geteuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string MachineName(const ExecutableHead& elf) {
  switch (elf.machine) {
    case EM_X86_64:
      return elf.elf_class == ELFCLASS64 ? "x86-64" : "x32";
    case EM_386:
      return "i386";
    case EM_AARCH64:
      return "aarch64";
    case EM_ARM:
      return "arm";
    default:
      return "machine " + std::to_string(elf.machine);
  }
}

Finding InspectElf(const std::string& path, const ExecutableHead& elf, const std::string& shim) {
  std::optional<ExecutableHead> ours = ReadExecutableHead(shim);
  if (!ours || ours->kind != ExecutableHead::Kind::kElf) {
    return {kExitOwnFailure, shim + ": not a library"};
  }
  if (elf.elf_class != ours->elf_class || elf.byte_order != ours->byte_order ||
      elf.machine != ours->machine) {
    return CannotRun(path, "made for " + MachineName(elf) + ", and only programs for " +
                               MachineName(*ours) + " can be wrapped" + kNothingDirect);
  }
  if (elf.interpreter.empty()) {
    return CannotRun(path,
                     std::string("statically linked, so it cannot be wrapped") + kNothingDirect);
  }
  // A C library other than the one this launcher runs on (musl, say) could not load the shim.
  std::optional<ExecutableHead> self = ReadExecutableHead("/proc/self/exe");
  if (self && BaseName(self->interpreter) != BaseName(elf.interpreter)) {
    return CannotRun(path, "needs the dynamic linker " + elf.interpreter +
                               ", which cannot load the preloaded library" + kNothingDirect);
  }
  if (GainsPrivileges(path)) {
    return CannotRun(path, std::string("set-user-ID, set-group-ID or with file capabilities, so it "
                                       "cannot be wrapped") +
                               kNothingDirect);
  }
  return {};
}

// The command in a script's "env" argument: the first word that is neither an option nor VAR=value.
std::string CommandOfEnv(std::string_view argument) {
  while (!argument.empty()) {
    const size_t end = std::min(argument.find_first_of(" \t"), argument.size());
    std::string_view word = argument.substr(0, end);
    argument.remove_prefix(std::min(end + 1, argument.size()));
    if (!word.empty() && word[0] != '-' && word.find('=') == std::string_view::npos) {
      return std::string(word);
    }
  }
  return "";
}

Finding Inspect(const std::string& path, const std::string& shim, int depth);

Finding InspectInterpreter(const std::string& path, const ExecutableHead& script,
                           const std::string& shim, int depth) {
  const std::string& interpreter = script.script_interpreter;
  if (int error = interpreter.empty() ? ENOENT : ExecutionError(interpreter); error != 0) {
    return CannotRun(path, "its interpreter '" + interpreter + "': " + strerror(error));
  }
  Finding finding = Inspect(interpreter, shim, depth + 1);
  if (finding.exit_status != 0 || BaseName(interpreter) != "env") return finding;
  std::string behind_env;
  // What env does not find either, env itself reports best.
  const std::string command = CommandOfEnv(script.script_argument);
  if (command.empty() || FindProgram(command, &behind_env).exit_status != 0) return {};
  return Inspect(behind_env, shim, depth + 1);
}

Finding Inspect(const std::string& path, const std::string& shim, int depth) {
  if (depth > kMaxInterpreters) return CannotRun(path, strerror(ELOOP));
  std::optional<ExecutableHead> head = ReadExecutableHead(path);
  if (!head) {
    return CannotRun(path, std::string(strerror(errno)) +
                               ": it cannot be read, so nobody can tell "
                               "whether it can be wrapped" +
                               kNothingDirect);
  }
  switch (head->kind) {
    case ExecutableHead::Kind::kElf:
      return InspectElf(path, *head, shim);
    case ExecutableHead::Kind::kScript:
      return InspectInterpreter(path, *head, shim, depth);
    case ExecutableHead::Kind::kText:  // execvp gives it to the shell
      return Inspect("/bin/sh", shim, depth + 1);
    case ExecutableHead::Kind::kUnknown:
      break;
  }
  return CannotRun(path, std::string("neither an ELF program nor a script") + kNothingDirect);
}

}  // namespace

Finding FindProgram(const std::string& command, std::string* path) {
  Finding not_found = {kExitNotFound, command + ": command not found"};
  if (command.empty()) return not_found;
  if (command.find('/') != std::string::npos) {
    *path = command;
    const int error = ExecutionError(command);
    if (error == 0) return {};
    const bool missing = error == ENOENT || error == ENOTDIR;
    return {missing ? kExitNotFound : kExitCannotRun, command + ": " + strerror(error)};
  }
  const char* value = getenv("PATH");
  std::string_view directories = value != nullptr ? value : "/bin:/usr/bin";  // as glibc does
  bool denied = false;
  while (true) {
    const size_t end = std::min(directories.find(':'), directories.size());
    std::string_view directory = directories.substr(0, end);
    std::string candidate(directory.empty() ? "." : directory);  // an empty item is the current one
    candidate += "/" + command;
    const int error = ExecutionError(candidate);
    if (error == 0) {
      *path = candidate;
      return {};
    }
    denied = denied || error == EACCES;
    if (end == directories.size()) break;
    directories.remove_prefix(end + 1);
  }
  if (denied) return {kExitCannotRun, command + ": " + strerror(EACCES)};
  return not_found;
}

Finding InspectProgram(const std::string& path, const std::string& shim) {
  return Inspect(path, shim, 0);
}

}  // namespace socksify
