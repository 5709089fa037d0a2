// Finds the settings of a run: option, SOCKSIFY_* variable, configuration file, generic variable,
// default, in this order of strength.
//
// Used once, by one thread. Blocks on the disk (configuration and password file). Every error is
// kConfig, says where the wrong value stands, and never quotes a password.
#ifndef LIB_CONFIG_LOADER_H_
#define LIB_CONFIG_LOADER_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/config/generic.h"
#include "lib/config/settings.h"

namespace socksify {

class ConfigLoader {
 public:
  explicit ConfigLoader(EnvironmentLookup lookup) : lookup_(std::move(lookup)) {}

  // An option of the command line. Of the same option given twice the later one counts.
  void SetOption(const Setting& setting, std::string_view value);

  // Finds and checks everything, wherever it stands. Whether it suffices for a connection is
  // another question: see CheckUsable.
  Result<Config> Load();

  // After Load: where the value in force came from. "option --server", "variable SOCKSIFY_SERVER",
  // "/etc/socksify-gss.conf:3", "variable ALL_PROXY", "default".
  const std::string& OriginOf(const Setting& setting) const;

  // After Load: the configuration file that was read; empty when there was none.
  const std::string& file() const { return file_; }

 private:
  enum class Rank : uint8_t { kDefault, kGeneric, kFile, kVariable, kOption };
  struct Found {
    Rank rank = Rank::kDefault;
    std::string origin = "default";
  };

  Status Apply(const Setting& setting, std::string_view value, Rank rank, std::string origin,
               Config& config);
  Status ApplyDefaults(Config& config);
  Status ApplyFile(Config& config);
  Status ApplyVariables(Config& config);
  Status ApplyOptions(Config& config);
  Status ApplyGeneric(Config& config);
  Status SettlePassword(Config& config);
  Status ReadConfigFile(std::string* text);

  EnvironmentLookup lookup_;
  std::vector<std::pair<const Setting*, std::string>> options_;
  std::map<const Setting*, Found> found_;
  std::string file_;
};

// Is everything there that a connection needs: a server, and a user and password where a method
// wants them? kConfig says what is missing and how to give it.
Status CheckUsable(const Config& config);

// The shim's way in: variables, file, generic variables and defaults, checked for use.
Result<Config> LoadFrom(EnvironmentLookup lookup);

// The whole of `config` as variables from which LoadFrom makes the same Config, whatever
// file or other variable there is. A password that came from a file is handed over as the file's
// name. The list holds the password otherwise: it goes into an environment and nowhere else.
std::vector<std::pair<std::string, std::string>> ExportVariables(const Config& config);

}  // namespace socksify

#endif  // LIB_CONFIG_LOADER_H_
