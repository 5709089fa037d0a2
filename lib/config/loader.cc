#include "lib/config/loader.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "lib/config/file.h"

namespace socksify {
namespace {

constexpr char kSystemFile[] = "/etc/socksify-gss.conf";

const Setting& SettingNamed(const char* option) { return *FindSetting(option); }

const Setting& PasswordSetting() {
  return *std::ranges::find(Settings(), Setting::Kind::kPassword, &Setting::kind);
}

bool NeedsPassword(const Config& config) {
  auto wants = [](Method method) { return method == Method::kUserpass || method == Method::kChap; };
  return std::ranges::any_of(config.methods, wants) || std::ranges::any_of(config.subauth, wants);
}

// The program that is run may change directory before the shim opens the file. A key may be named
// by a PKCS#11 URL (RFC 7512), too.
std::string Absolute(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.starts_with("pkcs11:")) {
    return std::string(path);
  }
  std::unique_ptr<char, decltype(&free)> directory(getcwd(nullptr, 0), &free);
  if (directory == nullptr) return std::string(path);
  std::string absolute = directory.get();
  if (!absolute.ends_with('/')) absolute += '/';
  return absolute.append(path);
}

std::string TextOf(const char* value) { return value == nullptr ? "" : value; }

// $XDG_CONFIG_HOME/socksify-gss/config; empty when there is no home at all.
std::string UserFile(const EnvironmentLookup& lookup) {
  std::string base = TextOf(lookup("XDG_CONFIG_HOME"));
  if (!base.starts_with('/')) {  // the XDG specification has relative ones ignored
    base = TextOf(lookup("HOME"));
    if (!base.starts_with('/')) return "";
    base += "/.config";
  }
  return base + "/socksify-gss/config";
}

}  // namespace

void ConfigLoader::SetOption(const Setting& setting, std::string_view value) {
  options_.emplace_back(&setting, value);
}

Result<Config> ConfigLoader::Load() {
  Config config;
  for (auto step :
       {&ConfigLoader::ApplyDefaults, &ConfigLoader::ApplyFile, &ConfigLoader::ApplyVariables,
        &ConfigLoader::ApplyOptions, &ConfigLoader::ApplyGeneric, &ConfigLoader::SettlePassword}) {
    if (Status status = (this->*step)(config); !status.ok()) return status;
  }
  return config;
}

const std::string& ConfigLoader::OriginOf(const Setting& setting) const {
  return found_.at(&setting).origin;
}

Status ConfigLoader::Apply(const Setting& setting, std::string_view value, Rank rank,
                           std::string origin, Config& config) {
  if (setting.parse != nullptr) {
    Status status = setting.kind == Setting::Kind::kPath ? setting.parse(Absolute(value), config)
                                                         : setting.parse(value, config);
    if (!status.ok()) return status;
  }
  found_[&setting] = {rank, std::move(origin)};
  return {};
}

Status ConfigLoader::ApplyDefaults(Config& config) {
  for (const Setting& setting : Settings()) {
    Status status = Apply(setting, setting.fallback, Rank::kDefault, "default", config);
    if (!status.ok()) return status;
  }
  return {};
}

// Finds and reads the configuration file, if there is one. Sets file_.
Status ConfigLoader::ReadConfigFile(std::string* text) {
  const Setting& setting = SettingNamed("config");
  const std::string* named = nullptr;
  std::string variable;
  Found found;
  for (const auto& [option, value] : options_) {
    if (option == &setting) {
      named = &value;
      found = {Rank::kOption, "option --config"};
    }
  }
  if (const char* value = lookup_(setting.variable); named == nullptr && value != nullptr) {
    variable = value;
    named = &variable;
    found = {Rank::kVariable, "variable " + std::string(setting.variable)};
  }
  if (named != nullptr) {
    found_[&setting] = found;
    if (named->empty()) return {};
    Result<std::optional<std::string>> read = ReadTextFile(*named);
    if (!read.ok()) return read.status();
    if (!read->has_value()) {
      return {Errc::kConfig, *named + ": no such configuration file (" + found.origin + ")"};
    }
    file_ = *named;
    *text = std::move(**read);
    return {};
  }
  for (const std::string& path : {UserFile(lookup_), std::string(kSystemFile)}) {
    if (path.empty()) continue;
    Result<std::optional<std::string>> read = ReadTextFile(path);
    if (!read.ok()) return read.status();
    if (!read->has_value()) continue;
    file_ = path;
    *text = std::move(**read);
    return {};
  }
  return {};
}

Status ConfigLoader::ApplyFile(Config& config) {
  std::string text;
  if (Status status = ReadConfigFile(&text); !status.ok()) return status;
  Result<std::vector<FileEntry>> entries = ParseEntries(file_, text);
  if (!entries.ok()) return entries.status();
  for (const FileEntry& entry : *entries) {
    const std::string where = file_ + ":" + std::to_string(entry.line);
    const Setting* setting = FindSetting(entry.key);
    if (setting == nullptr || setting->kind == Setting::Kind::kFile) {
      const char* why = setting != nullptr        ? " cannot be set in the file itself"
                        : entry.key == "password" ? " has no place here: use password-file"
                                                  : " is not a setting";
      return {Errc::kConfig, where + ": " + entry.key + why};
    }
    std::string value = entry.value;
    if (setting->kind == Setting::Kind::kPath && value.starts_with("~/")) {
      value = TextOf(lookup_("HOME")) + value.substr(1);
    }
    Status status = Apply(*setting, value, Rank::kFile, where, config);
    if (!status.ok()) {
      return {status.code(), where + ": " + entry.key + ": " + status.message()};
    }
  }
  return {};
}

Status ConfigLoader::ApplyVariables(Config& config) {
  for (const Setting& setting : Settings()) {
    const char* value = lookup_(setting.variable);
    if (value == nullptr || setting.kind == Setting::Kind::kFile) continue;
    Status status =
        Apply(setting, value, Rank::kVariable, "variable " + std::string(setting.variable), config);
    if (!status.ok()) {
      return {status.code(), std::string(setting.variable) + ": " + status.message()};
    }
  }
  return {};
}

Status ConfigLoader::ApplyOptions(Config& config) {
  for (const auto& [setting, value] : options_) {
    if (setting->kind == Setting::Kind::kFile) continue;
    const std::string name = "--" + std::string(setting->option);
    Status status = Apply(*setting, value, Rank::kOption, "option " + name, config);
    if (!status.ok()) return {status.code(), name + ": " + status.message()};
  }
  return {};
}

Status ConfigLoader::ApplyGeneric(Config& config) {
  const Setting& server = SettingNamed("server");
  const Setting& user = SettingNamed("user");
  const Setting& bypass = SettingNamed("bypass");
  if (found_[&server].rank == Rank::kDefault) {
    Result<std::optional<GenericServer>> generic = FindGenericServer(lookup_);
    if (!generic.ok()) return generic.status();
    if (generic->has_value()) {
      const std::string origin = "variable " + (*generic)->variable;
      Status status = Apply(server, (*generic)->server, Rank::kGeneric, origin, config);
      if (status.ok() && !(*generic)->user.empty() && found_[&user].rank == Rank::kDefault) {
        // The credentials in the URL belong to its server, and the password to its user.
        status = Apply(user, (*generic)->user, Rank::kGeneric, origin, config);
        const Setting& password = PasswordSetting();
        if (status.ok() && found_[&password].rank == Rank::kDefault &&
            found_[&SettingNamed("password-file")].rank == Rank::kDefault) {
          status = Apply(password, (*generic)->password.text(), Rank::kGeneric, origin, config);
        }
      }
      // What is wrong may be part of a password with an unescaped '@' or '/': not to be quoted.
      if (!status.ok()) {
        return {Errc::kConfig, (*generic)->variable + ": not a usable SOCKS server; wanted is " +
                                   "[socks5://][USER:PASSWORD@]HOST[:PORT]"};
      }
    }
  }
  if (found_[&bypass].rank == Rank::kDefault) {
    if (std::optional<GenericBypass> generic = FindGenericBypass(lookup_)) {
      return Apply(bypass, generic->list, Rank::kGeneric, "variable " + generic->variable, config);
    }
  }
  return {};
}

// A password and a password file are two ways to one value: the stronger counts, and of two that
// are equally strong the password itself.
Status ConfigLoader::SettlePassword(Config& config) {
  const Setting& file = SettingNamed("password-file");
  const bool stronger = found_[&PasswordSetting()].rank >= found_[&file].rank;
  if (!config.password.empty() && (config.password_file.empty() || stronger)) {
    config.password_file.clear();
    return {};
  }
  config.password = Secret();
  if (config.password_file.empty() || !NeedsPassword(config)) return {};
  Result<Secret> password = ReadPasswordFile(config.password_file);
  if (!password.ok()) {
    return {Errc::kConfig, "password-file: " + password.status().message()};
  }
  config.password = std::move(*password);
  return {};
}

Status CheckUsable(const Config& config) {
  if (config.servers.empty()) {
    return {Errc::kConfig,
            "no SOCKS server is configured (use --server HOST[:PORT], SOCKSIFY_SERVER, or "
            "'server = HOST' in the configuration file)"};
  }
  if (NeedsPassword(config) && config.user.empty()) {
    return {
        Errc::kConfig,
        "userpass and chap need a user name (use --user, SOCKSIFY_USER, or 'user = NAME' in the "
        "configuration file)"};
  }
  if (NeedsPassword(config) && config.password.empty()) {
    return {Errc::kConfig,
            "userpass and chap need a password (use --password-file, SOCKSIFY_PASSWORD_FILE or "
            "SOCKSIFY_PASSWORD)"};
  }
  return {};
}

Result<Config> LoadFrom(EnvironmentLookup lookup) {
  ConfigLoader loader(std::move(lookup));
  Result<Config> config = loader.Load();
  if (!config.ok()) return config;
  if (Status status = CheckUsable(*config); !status.ok()) return status;
  return config;
}

std::vector<std::pair<std::string, std::string>> ExportVariables(const Config& config) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const Setting& setting : Settings()) {
    std::string value;  // of SOCKSIFY_CONFIG: no file, for everything is here
    const bool from_file =
        setting.kind == Setting::Kind::kPassword && !config.password_file.empty();
    if (setting.print != nullptr && !from_file) value = setting.print(config);
    variables.emplace_back(setting.variable, std::move(value));
  }
  return variables;
}

}  // namespace socksify
