#include "tools/socksify-gss/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/io/executable.h"

namespace socksify {
namespace {

using Verdict = Executable::Verdict;

// errno as execve would give it; 0 when the file can be executed.
int ExecutionError(const char* path) {
  struct stat status;
  if (stat(path, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace

Finding FindProgram(const std::string& command, std::string* path) {
  PathSearch search(command.c_str());
  while (const char* candidate = search.Next()) {
    const int error = ExecutionError(candidate);
    if (error == 0) {
      const bool here = strchr(candidate, '/') == nullptr;  // an empty item of PATH
      *path = std::string(here ? "./" : "") + candidate;
      return {};
    }
    if (!search.GoesOn(error)) break;
  }
  const int error = search.error();
  const bool missing = error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
  if (!missing) return {kExitCannotRun, command + ": " + strerror(error)};
  const bool named = command.find('/') != std::string::npos;
  return {kExitNotFound, command + ": " + (named ? strerror(error) : "command not found")};
}

Finding InspectProgram(const std::string& path) {
  Executable found = Executable::Inspect(AT_FDCWD, path.c_str(), 0);
  std::string subject = path + ": ";
  if (found.verdict == Verdict::kText && found.interpreter[0] == '\0') {
    found = Executable::Inspect(AT_FDCWD, "/bin/sh", 0);  // as execvp has it
    subject += "a text for /bin/sh, which is ";
  } else if (found.interpreter[0] != '\0') {
    subject += std::string("its interpreter ") + found.interpreter + " is ";
  }
  if (found.verdict == Verdict::kWrapped) return {};
  if (found.verdict == Verdict::kError) {
    return {kExitCannotRun, subject + "not to be executed: " + strerror(found.error)};
  }
  return {kExitCannotRun, subject + found.why() + "; nothing was run, since it would go direct"};
}

}  // namespace socksify
