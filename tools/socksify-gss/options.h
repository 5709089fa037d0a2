// The command line: every setting of lib/config/settings.h, and what only the launcher knows.
#ifndef TOOLS_SOCKSIFY_GSS_OPTIONS_H_
#define TOOLS_SOCKSIFY_GSS_OPTIONS_H_

#include <string>

#include "lib/base/result.h"
#include "lib/config/loader.h"

namespace socksify {

struct Options {
  bool help = false;
  bool version = false;
  bool check = false;
  bool print_config = false;
  char** command = nullptr;  // NULL-terminated, borrowed from argv; empty when none is given
};

// Reads the options in front of the command and hands the settings among them to `loader`. kConfig
// for an option that does not exist or lacks its value.
Result<Options> ParseOptions(int argc, char** argv, ConfigLoader& loader);

std::string HelpText();
std::string VersionText();

// The settings in force, one "key = value  # origin" each, which a configuration file may hold as
// they are. A password is not shown, only that there is one.
std::string ConfigText(const Config& config, const ConfigLoader& loader);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_OPTIONS_H_
