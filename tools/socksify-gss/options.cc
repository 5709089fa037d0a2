#include "tools/socksify-gss/options.h"

#include <getopt.h>

#include <string_view>
#include <vector>

#include "lib/config/settings.h"

namespace socksify {
namespace {

// What getopt_long returns for a long option: the setting's index, or one of these. Clear of
// letters.
constexpr int kFirstSetting = 0x100;
constexpr int kCheck = 0x1000;
constexpr int kPrintConfig = 0x1001;

struct Action {
  const char* option;  // "" when there is only the letter
  char letter;
  int code;
  const char* help;
};
constexpr Action kActions[] = {
    {"", 'v', 'v', "log more: info, twice debug"},
    {"", 'q', 'q', "log nothing"},
    {"check", 0, kCheck, "negotiate with the server, print what was agreed, run nothing"},
    {"print-config", 0, kPrintConfig, "print the settings in force and where each came from"},
    {"help", 'h', 'h', "print this"},
    {"version", 'V', 'V', "print the version"},
};

bool IsOption(const Setting& setting) { return setting.option[0] != '\0'; }

std::string ShortOptions() {
  // '+': stop at the command, whose options are its own. ':': a missing value is told apart.
  std::string letters = "+:";
  for (const Setting& setting : Settings()) {
    if (setting.letter != 0) letters += {setting.letter, ':'};
  }
  for (const Action& action : kActions) {
    if (action.letter != 0) letters += action.letter;
  }
  return letters;
}

std::vector<option> LongOptions() {
  std::vector<option> options;
  int code = kFirstSetting;
  for (const Setting& setting : Settings()) {
    const bool flag = setting.kind == Setting::Kind::kFlag;
    if (IsOption(setting)) {
      options.push_back(
          {setting.option, flag ? optional_argument : required_argument, nullptr, code});
    }
    code++;
  }
  for (const Action& action : kActions) {
    if (action.option[0] != '\0') {
      options.push_back({action.option, no_argument, nullptr, action.code});
    }
  }
  options.push_back({});
  return options;
}

const Setting* SettingOf(int code) {
  if (code >= kFirstSetting && code < kCheck) {
    return &Settings()[static_cast<size_t>(code - kFirstSetting)];
  }
  for (const Setting& setting : Settings()) {
    if (setting.letter != 0 && code == setting.letter) return &setting;
  }
  return nullptr;
}

// A flag's value: what follows '=', else a separate 0 or 1, else the option alone means 1.
std::string_view FlagValue(int argc, char** argv) {
  if (optarg != nullptr) return optarg;
  if (optind < argc) {
    std::string_view next = argv[optind];
    if (next == "0" || next == "1") return argv[optind++];
  }
  return "1";
}

// getopt has stopped at an option that is wrong.
Status BadOption(char** argv, const char* what) {
  std::string name = argv[optind - 1];
  if (optopt > 0 && optopt < kFirstSetting) {
    name = std::string("-") + static_cast<char>(optopt);
  } else if (const Setting* setting = SettingOf(optopt)) {
    name = std::string("--") + setting->option;
  }
  return {Errc::kConfig, name + ": " + what + " (see socksify-gss --help)"};
}

void AppendHelp(std::string& text, char letter, const std::string& option, const char* help,
                const std::string& notes) {
  text += "  ";
  text += letter != 0 ? std::string("-") + letter + (option.empty() ? "" : ", ") : "    ";
  text += option + "\n          " + help + notes + "\n";
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv, ConfigLoader& loader) {
  const std::string letters = ShortOptions();
  const std::vector<option> long_options = LongOptions();
  Options options;
  int verbosity = 0;
  opterr = 0;
  int code;
  while ((code = getopt_long(argc, argv, letters.c_str(), long_options.data(), nullptr)) != -1) {
    switch (code) {
      case 'h':
        options.help = true;
        break;
      case 'V':
        options.version = true;
        break;
      case kCheck:
        options.check = true;
        break;
      case kPrintConfig:
        options.print_config = true;
        break;
      case 'v':
        loader.SetOption(*FindSetting("log"), verbosity++ == 0 ? "info" : "debug");
        break;
      case 'q':
        loader.SetOption(*FindSetting("log"), "quiet");
        break;
      case ':':
        return BadOption(argv, "a value is missing");
      case '?':
        return BadOption(argv, "no such option, or a value where none belongs");
      default: {
        const Setting* setting = SettingOf(code);
        const bool flag = setting->kind == Setting::Kind::kFlag;
        loader.SetOption(*setting, flag ? FlagValue(argc, argv) : std::string_view(optarg));
        break;
      }
    }
  }
  options.command = argv + optind;
  return options;
}

std::string HelpText() {
  std::string text =
      "Usage: socksify-gss [OPTION]... [--] COMMAND [ARG]...\n"
      "Runs COMMAND with its network connections going through a SOCKS 5 server, authenticated\n"
      "and sealed (RFC 1961 or TLS). Each option has the variable and, without its dashes, the\n"
      "configuration key of the same meaning.\n\n";
  for (const Setting& setting : Settings()) {
    if (!IsOption(setting)) continue;
    const bool flag = setting.kind == Setting::Kind::kFlag;
    std::string option = std::string("--") + setting.option;
    option += flag ? "[=" + std::string(setting.value) + "]" : "=" + std::string(setting.value);
    std::string notes = std::string("\n          [") + setting.variable;
    if (setting.fallback[0] != '\0') notes += std::string("; default: ") + setting.fallback;
    AppendHelp(text, setting.letter, option, setting.help, notes + "]");
  }
  for (const Action& action : kActions) {
    std::string option = action.option[0] == '\0' ? "" : std::string("--") + action.option;
    AppendHelp(text, action.letter, option, action.help, "");
  }
  text +=
      "\nSOCKSIFY_PASSWORD may hold the password itself. Exit status: the command's own; 125 when\n"
      "socksify-gss itself fails, 126 when the command cannot be run, 127 when it is not found.\n";
  return text;
}

std::string VersionText() { return "socksify-gss " SOCKSIFY_VERSION "\n"; }

std::string ConfigText(const Config& config, const ConfigLoader& loader) {
  std::string text;
  for (const Setting& setting : Settings()) {
    const std::string origin = "  # " + loader.OriginOf(setting) + "\n";
    switch (setting.kind) {
      case Setting::Kind::kFile:
        if (!loader.file().empty()) text += "# configuration file: " + loader.file() + origin;
        break;
      case Setting::Kind::kPassword:
        if (!config.password.empty() && config.password_file.empty()) {
          text += "# password: hidden" + origin;
        }
        break;
      default:
        text += std::string(setting.option) + " =";
        if (std::string value = setting.print(config); !value.empty()) text += " " + value;
        text += origin;
    }
  }
  return text;
}

}  // namespace socksify
