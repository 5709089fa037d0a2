#include "tools/socksify-gss/launch.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/base/log.h"
#include "tools/socksify-gss/parts.h"
#include "tools/socksify-gss/program.h"

namespace socksify {
namespace {

constexpr char kPreload[] = "LD_PRELOAD";
constexpr char kRun[] = "SOCKSIFY_RUN";  // names this run; all its processes share one name map

int Fail(int exit_status, const std::string& message) {
  Log::Error(message);
  return exit_status;
}

// "PID.RANDOM": the number for people, the rest because numbers are used again.
std::string NewRunToken() {
  uint8_t random[8] = {};
  (void)!getrandom(random, sizeof random, 0);
  return std::to_string(getpid()) + "." + Hex(random);
}

// In front of what is preloaded already, and once only when runs are nested.
std::string PreloadWith(const std::string& shim) {
  const char* existing = getenv(kPreload);
  if (existing == nullptr || *existing == '\0') return shim;
  std::string_view list(existing);
  if (list == shim || list.starts_with(shim + ":")) return existing;
  return shim + ":" + existing;
}

// When ALL_PROXY named the server, this run is what it asks for. A program that reads it too (curl)
// would speak SOCKS inside of SOCKS.
void DropConsumedProxyVariables(const ConfigLoader& loader) {
  const std::string& origin = loader.OriginOf(*FindSetting("server"));
  if (origin != "variable ALL_PROXY" && origin != "variable all_proxy") return;
  for (const char* variable : {"ALL_PROXY", "all_proxy"}) {
    const char* value = getenv(variable);
    if (value != nullptr && strncasecmp(value, "socks5", 6) == 0) unsetenv(variable);
  }
}

bool SetEnvironment(const Config& config, const ConfigLoader& loader, const std::string& shim) {
  for (const auto& [name, value] : ExportVariables(config)) {
    if (setenv(name.c_str(), value.c_str(), 1) != 0) return false;
  }
  DropConsumedProxyVariables(loader);
  return setenv(kPreload, PreloadWith(shim).c_str(), 1) == 0 &&
         setenv(kRun, NewRunToken().c_str(), 1) == 0;
}

}  // namespace

int Launch(char** command, const Config& config, const ConfigLoader& loader) {
  Result<Parts> parts = FindParts();
  if (!parts.ok()) return Fail(kExitOwnFailure, parts.status().message());
  std::string path;
  if (Finding finding = FindProgram(command[0], &path); finding.exit_status != 0) {
    return Fail(finding.exit_status, finding.message);
  }
  if (Finding finding = InspectProgram(path); finding.exit_status != 0) {
    return Fail(finding.exit_status, finding.message);
  }
  if (!SetEnvironment(config, loader, parts->shim)) {
    return Fail(kExitOwnFailure, std::string("cannot set the environment: ") + strerror(errno));
  }
  // `path` has a slash, so nothing is searched again; a text file without "#!" goes to the shell.
  execvp(path.c_str(), command);
  return Fail(errno == ENOENT ? kExitNotFound : kExitCannotRun, path + ": " + strerror(errno));
}

}  // namespace socksify
