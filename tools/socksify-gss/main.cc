// socksify-gss: runs a command with its connections going through a SOCKS server.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/base/log.h"
#include "lib/config/loader.h"
#include "tools/socksify-gss/check.h"
#include "tools/socksify-gss/launch.h"
#include "tools/socksify-gss/options.h"
#include "tools/socksify-gss/program.h"

namespace socksify {
namespace {

int Fail(const Status& status) {
  Log::Error(status.message());
  return kExitOwnFailure;
}

int Print(const std::string& text) {
  const bool written = fputs(text.c_str(), stdout) >= 0 && fflush(stdout) == 0;
  if (written) return 0;
  Log::Error(std::string("standard output: ") + strerror(errno));
  return kExitOwnFailure;
}

// Until here errors went to stderr: they are about the settings, and must be seen whatever those
// say.
Status OpenLog(const Config& config) {
  int fd = STDERR_FILENO;
  if (!config.log_file.empty()) {
    fd = open(config.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) return {Errc::kConfig, config.log_file + ": " + strerror(errno)};
    close(fd);  // only that it can be written; the shim opens it for itself
  }
  return {};
}

int Main(int argc, char** argv) {
  Log::Open("socksify-gss", LogLevel::kError, STDERR_FILENO, write);
  ConfigLoader loader([](const char* name) -> const char* { return getenv(name); });
  Result<Options> options = ParseOptions(argc, argv, loader);
  if (!options.ok()) return Fail(options.status());
  if (options->help) return Print(HelpText());
  if (options->version) return Print(VersionText());

  Result<Config> config = loader.Load();
  if (!config.ok()) return Fail(config.status());
  const bool has_command = options->command[0] != nullptr;
  if (options->print_config) {
    if (int status = Print(ConfigText(*config, loader)); status != 0) return status;
    if (!options->check && !has_command) return 0;
  }
  if (options->check == has_command) {
    return Fail({Errc::kConfig, has_command ? "--check runs no command"
                                            : "no command is given (see socksify-gss --help)"});
  }
  if (Status status = CheckUsable(*config); !status.ok()) return Fail(status);
  if (Status status = OpenLog(*config); !status.ok()) return Fail(status);
  return options->check ? Check(*config) : Launch(options->command, *config, loader);
}

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) { return socksify::Main(argc, argv); }
