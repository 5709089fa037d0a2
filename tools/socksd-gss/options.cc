#include "tools/socksd-gss/options.h"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "lib/config/text.h"

namespace socksify {
namespace {

using Text = std::string_view;

Status Wrong(Text value, Text wanted) {
  return {Errc::kConfig, "'" + std::string(value) + "' is no " + std::string(wanted)};
}

// One word of a fixed choice each.
template <typename Value, size_t kCount>
Result<Value> Choose(Text word, Text what, const std::pair<Text, Value> (&choices)[kCount]) {
  for (const auto& [name, value] : choices) {
    if (name == word) return value;
  }
  return Wrong(word, what);
}

Status SetMethods(ServerOptions& options, Text list) {
  static constexpr std::pair<Text, Method> kMethods[] = {{"gssapi", Method::kGssapi},
                                                         {"ssl", Method::kSsl},
                                                         {"chap", Method::kChap},
                                                         {"userpass", Method::kUserpass},
                                                         {"none", Method::kNone}};
  options.methods.clear();
  for (Text word : SplitList(list)) {
    auto method = Choose(word, "method", kMethods);
    if (!method.ok()) return method.status();
    if (*method == Method::kSsl || *method == Method::kChap) {
      return {Errc::kUnsupported, "this server does not do " + std::string(word)};
    }
    options.methods.push_back(*method);
  }
  return options.methods.empty() ? Wrong(list, "list of methods") : Status();
}

Status SetLevels(ServerOptions& options, Text list) {
  static constexpr std::pair<Text, ProtectionLevel> kLevels[] = {
      {"integrity", ProtectionLevel::kIntegrity},
      {"confidentiality", ProtectionLevel::kConfidentiality}};
  options.levels.clear();
  for (Text word : SplitList(list)) {
    auto level = Choose(word, "protection level", kLevels);
    if (!level.ok()) return level.status();
    options.levels.push_back(*level);
  }
  return options.levels.empty() ? Wrong(list, "list of protection levels") : Status();
}

Status SetLog(ServerOptions& options, Text word) {
  static constexpr std::pair<Text, LogLevel> kLevels[] = {{"quiet", LogLevel::kQuiet},
                                                          {"error", LogLevel::kError},
                                                          {"warn", LogLevel::kWarn},
                                                          {"info", LogLevel::kInfo},
                                                          {"debug", LogLevel::kDebug}};
  auto level = Choose(word, "log level", kLevels);
  if (!level.ok()) return level.status();
  options.log_level = *level;
  return {};
}

template <typename Number>
Status SetNumber(Number& number, Text text, uint32_t least, uint32_t most) {
  auto value = ParseNumber(text, most);
  if (!value || *value < least) {
    return Wrong(text, "number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  number = *value;
  return {};
}

Status RefuseTls(ServerOptions&, Text) {
  return {Errc::kUnsupported, "this server does not do ssl"};
}

struct Option {
  const char* name;
  const char* value;  // null: takes none
  const char* help;
  Status (*set)(ServerOptions& options, Text value);  // null: answered by ParseOptions
};

constexpr Option kOptions[] = {
    {"listen", "ADDR:PORT", "where to listen; repeatable; IPv6 in brackets; port 0 picks one",
     [](ServerOptions& options, Text value) {
       options.listen.emplace_back(value);
       return Status();
     }},
    {"methods", "LIST", "accepted, best first: gssapi, userpass, none (gssapi)", SetMethods},
    {"keytab", "FILE", "the keys of the service (KRB5_KTNAME, else the system's)",
     [](ServerOptions& options, Text value) {
       options.keytab = value;
       return Status();
     }},
    {"gss-service", "NAME", "the service whose keys are used; empty for any (socks)",
     [](ServerOptions& options, Text value) {
       options.gss_service = value;
       return Status();
     }},
    {"protection", "LIST", "accepted levels (integrity,confidentiality)", SetLevels},
    {"tls-cert", "FILE", "the server's certificate, for ssl", RefuseTls},
    {"tls-key", "FILE", "its key", RefuseTls},
    {"tls-client-ca", "FILE", "authorities of the clients' certificates", RefuseTls},
    {"subauth", "LIST", "methods inside ssl", RefuseTls},
    {"users", "FILE", "name:password lines, for userpass; not readable by others",
     [](ServerOptions& options, Text value) {
       options.users_file = value;
       return Status();
     }},
    {"allow", "RULE",
     "targets that may be reached: NETWORK, ADDRESS, NAME or .SUFFIX[:PORT[-PORT]]",
     [](ServerOptions& options, Text value) { return options.targets.Add(true, value); }},
    {"deny", "RULE", "targets that may not; the first rule that matches decides, none means denied",
     [](ServerOptions& options, Text value) { return options.targets.Add(false, value); }},
    {"max-clients", "N", "connections at a time; more of them wait (no limit)",
     [](ServerOptions& options, Text value) {
       return SetNumber(options.max_clients, value, 1, 1'000'000);
     }},
    {"connect-timeout", "SECONDS", "for reaching a target (30)",
     [](ServerOptions& options, Text value) {
       return SetNumber(options.connect_seconds, value, 1, 3600);
     }},
    {"threads", "N", "event loops (one for each core)",
     [](ServerOptions& options, Text value) { return SetNumber(options.threads, value, 1, 256); }},
    {"log", "LEVEL", "quiet, error, warn, info, debug (warn); to stderr", SetLog},
    {"help", nullptr, "show this and exit", nullptr},
    {"version", nullptr, "show the version and exit", nullptr},
};
constexpr size_t kOptionCount = std::size(kOptions);

void PrintHelp() {
  printf(
      "Usage: socksd-gss --listen ADDR:PORT [OPTION]...\n"
      "A SOCKS 5 server that authenticates by GSS-API and protects what it relays (RFC 1961).\n\n");
  for (const Option& option : kOptions) {
    std::string left = std::string("--") + option.name;
    if (option.value != nullptr) left += std::string("=") + option.value;
    printf("  %-26s %s\n", left.c_str(), option.help);
  }
}

}  // namespace

Result<std::optional<ServerOptions>> ParseOptions(int argc, char** argv) {
  std::array<option, kOptionCount + 1> table = {};  // the last one ends it
  for (size_t i = 0; i < kOptionCount; i++) {
    const int argument = kOptions[i].value == nullptr ? no_argument : required_argument;
    table[i] = {kOptions[i].name, argument, nullptr, static_cast<int>(i)};
  }
  ServerOptions options;
  opterr = 0;
  for (;;) {
    const int at = optind;
    const int index = getopt_long(argc, argv, ":", table.data(), nullptr);
    if (index == -1) break;
    if (index == '?' || index == ':') {
      return {Errc::kConfig, std::string(argv[at]) +
                                 (index == ':' ? " needs a value" : " is no option") +
                                 "; see --help"};
    }
    const Option& option = kOptions[index];
    if (option.set == nullptr) {
      if (Text(option.name) == "help") {
        PrintHelp();
      } else {
        printf("socksd-gss %s\n", SOCKSIFY_VERSION);
      }
      return std::optional<ServerOptions>();
    }
    const Text value = optarg == nullptr ? Text() : Text(optarg);
    if (Status status = option.set(options, value); !status.ok()) {
      return {status.code(), std::string("--") + option.name + ": " + status.message()};
    }
  }
  if (optind < argc)
    return {Errc::kConfig, std::string(argv[optind]) + " is no option; see --help"};
  if (options.listen.empty()) return {Errc::kConfig, "--listen is missing; see --help"};
  if (std::ranges::count(options.methods, Method::kUserpass) != 0 && options.users_file.empty()) {
    return {Errc::kConfig, "--methods userpass needs --users"};
  }
  return std::optional<ServerOptions>(std::move(options));
}

}  // namespace socksify
