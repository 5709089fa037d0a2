#include "tools/socksify-gss/parts.h"

#include <limits.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/io/core_loader.h"

namespace socksify {
namespace {

constexpr char kShimFile[] = "libsocksify-gss.so";
constexpr char kInstalledDirectory[] = "/lib/socksify-gss/";

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

Result<std::string> OwnDirectory() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || path[0] != '/') {
    return {Errc::kConfig, std::string("cannot find itself: /proc/self/exe: ") + strerror(errno)};
  }
  return DirectoryOf(std::string(path, static_cast<size_t>(length)));
}

Status CheckLoadable(const Parts& parts) {
  // ld.so takes LD_PRELOAD apart at blanks and colons, expands $ORIGIN and the like, and knows no
  // way to quote.
  if (parts.shim.find_first_of(" :$") != std::string::npos) {
    return {Errc::kConfig, parts.shim +
                               ": LD_PRELOAD cannot hold a path with a blank, ':' or '$' in it; "
                               "install socksify-gss elsewhere"};
  }
  for (const std::string& path : {parts.shim, parts.core}) {
    if (access(path.c_str(), R_OK) != 0) {
      return {Errc::kConfig, path + ": " + strerror(errno) + "; is the installation complete?"};
    }
    struct statvfs system;
    if (statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) != 0) {
      return {Errc::kConfig, path + ": on a file system mounted noexec, so it cannot be loaded"};
    }
  }
  return {};
}

}  // namespace

Result<Parts> FindParts() {
  Result<std::string> own = OwnDirectory();
  if (!own.ok()) return own.status();
  std::string directory = *own + "/";
  if (access((directory + kShimFile).c_str(), F_OK) != 0) {
    directory = DirectoryOf(*own) + kInstalledDirectory;
  }
  Parts parts = {directory + kShimFile, directory + kCoreFile};
  if (Status status = CheckLoadable(parts); !status.ok()) return status;
  return parts;
}

}  // namespace socksify
