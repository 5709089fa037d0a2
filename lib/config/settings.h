// The one table of settings. Options, variables, configuration keys, --help, --print-config and
// what the launcher hands to the shim all come from it.
#ifndef LIB_CONFIG_SETTINGS_H_
#define LIB_CONFIG_SETTINGS_H_

#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/config/config.h"

namespace socksify {

struct Setting {
  enum class Kind : uint8_t {
    kValue,     // any other
    kFlag,      // 0 or 1; the option may stand alone for 1
    kPath,      // a file's name, made absolute when it is loaded: programs change directory
    kFile,      // --config: where the rest comes from, not itself part of a Config
    kPassword,  // a secret with a variable alone: it belongs neither on a command line nor in a
                // file
  };

  const char* option;    // long option and configuration key; "" for kPassword
  char letter;           // short option, or 0
  const char* variable;  // "SOCKSIFY_SERVER"
  const char* value;     // what to call its value in --help
  const char* fallback;  // the default, as text
  const char* help;      // one sentence
  Kind kind;
  // Takes a value over into the Config. kConfig says what is wrong with the value, without its
  // name. Null for kFile.
  Status (*parse)(std::string_view text, Config& config);
  // The value as text that `parse` reads back to the same. Null for kFile.
  std::string (*print)(const Config& config);
};

// In the order of the manual.
std::span<const Setting> Settings();

// By option name; null when there is none.
const Setting* FindSetting(std::string_view option);

}  // namespace socksify

#endif  // LIB_CONFIG_SETTINGS_H_
