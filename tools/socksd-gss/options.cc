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

// A list of them, of one at least.
template <typename Value, size_t kCount>
Status ChooseList(std::vector<Value>& values, Text list, Text what,
                  const std::pair<Text, Value> (&choices)[kCount]) {
  values.clear();
  for (Text word : SplitList(list)) {
    auto value = Choose(word, what, choices);
    if (!value.ok()) return value.status();
    values.push_back(*value);
  }
  return values.empty() ? Wrong(list, "list of " + std::string(what) + "s") : Status();
}

Status SetMethods(ServerOptions& options, Text list) {
  static constexpr std::pair<Text, Method> kMethods[] = {{"gssapi", Method::kGssapi},
                                                         {"ssl", Method::kSsl},
                                                         {"chap", Method::kChap},
                                                         {"userpass", Method::kUserpass},
                                                         {"none", Method::kNone}};
  return ChooseList(options.methods, list, "method", kMethods);
}

Status SetSubauth(ServerOptions& options, Text list) {
  static constexpr std::pair<Text, Method> kMethods[] = {
      {"userpass", Method::kUserpass}, {"chap", Method::kChap}, {"none", Method::kNone}};
  return ChooseList(options.subauth, list, "method inside ssl", kMethods);
}

Status SetLevels(ServerOptions& options, Text list) {
  static constexpr std::pair<Text, ProtectionLevel> kLevels[] = {
      {"integrity", ProtectionLevel::kIntegrity},
      {"confidentiality", ProtectionLevel::kConfidentiality}};
  return ChooseList(options.levels, list, "protection level", kLevels);
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

template <std::string ServerOptions::*kField>
Status SetText(ServerOptions& options, Text value) {
  options.*kField = value;
  return {};
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
    {"methods", "LIST", "accepted, best first: gssapi, ssl, chap, userpass, none (gssapi)",
     SetMethods},
    {"keytab", "FILE", "the keys of the service (KRB5_KTNAME, else the system's)",
     SetText<&ServerOptions::keytab>},
    {"gss-service", "NAME", "the service whose keys are used; empty for any (socks)",
     SetText<&ServerOptions::gss_service>},
    {"gss-fast-path", "0|1", "make messages of Kerberos without its library (1)",
     [](ServerOptions& options, Text value) {
       static constexpr std::pair<Text, bool> kValues[] = {{"0", false}, {"1", true}};
       auto chosen = Choose(value, "choice of 0 and 1", kValues);
       if (!chosen.ok()) return chosen.status();
       options.gss_fast_path = *chosen;
       return Status();
     }},
    {"protection", "LIST", "accepted levels (integrity,confidentiality)", SetLevels},
    {"tls-cert", "FILE", "the server's certificate and those above it, for ssl",
     SetText<&ServerOptions::tls_cert>},
    {"tls-key", "FILE", "its key; not readable by others", SetText<&ServerOptions::tls_key>},
    {"tls-client-ca", "FILE", "who must have issued the certificate that each client then needs",
     SetText<&ServerOptions::tls_client_ca>},
    {"tls-priority", "STRING", "GnuTLS priority string (TLS 1.2 or later)",
     SetText<&ServerOptions::tls_priority>},
    {"subauth", "LIST", "asked for inside ssl, best first: userpass, chap, none", SetSubauth},
    {"ssl-udp-naked", nullptr,
     "relay the UDP of ssl clients that agree, in clear: ssl protects TCP",
     [](ServerOptions& options, Text) {
       options.ssl_udp_naked = true;
       return Status();
     }},
    {"users", "FILE", "name:password lines, for userpass and chap; not readable by others",
     SetText<&ServerOptions::users_file>},
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
    {"udp-from", "RULE", "who may send to UDP clients that have not sent there (nobody)",
     [](ServerOptions& options, Text value) { return options.udp_sources.Add(true, value); }},
    {"idle-timeout", "SECONDS", "for UDP without datagrams, and BIND without a connection (300)",
     [](ServerOptions& options, Text value) {
       return SetNumber(options.idle_seconds, value, 1, 86400);
     }},
    {"max-ports", "N", "open at a time, by UDP and BIND, for one client's address (1024)",
     [](ServerOptions& options, Text value) {
       return SetNumber(options.max_ports, value, 1, 1'000'000);
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
      "A SOCKS 5 server that authenticates by GSS-API (RFC 1961) or TLS and protects what it "
      "relays.\n\n");
  for (const Option& option : kOptions) {
    std::string left = std::string("--") + option.name;
    if (option.value != nullptr) left += std::string("=") + option.value;
    printf("  %-26s %s\n", left.c_str(), option.help);
  }
}

// Options that make no sense together are a mistake that could leave a server open.
Status CheckTogether(const ServerOptions& options) {
  if (options.listen.empty()) return {Errc::kConfig, "--listen is missing; see --help"};
  for (Method method : {Method::kUserpass, Method::kChap}) {
    if (options.Accepts(method) && options.users_file.empty()) {
      return {Errc::kConfig, std::string(MethodName(method)) + " needs --users"};
    }
  }
  if (std::ranges::count(options.methods, Method::kSsl) != 0) {
    if (!options.tls_cert.empty() && !options.tls_key.empty()) return {};
    return {Errc::kConfig, "--methods ssl needs --tls-cert and --tls-key"};
  }
  const char* alone = !options.tls_cert.empty()        ? "--tls-cert"
                      : !options.tls_key.empty()       ? "--tls-key"
                      : !options.tls_client_ca.empty() ? "--tls-client-ca"
                      : !options.tls_priority.empty()  ? "--tls-priority"
                      : !options.subauth.empty()       ? "--subauth"
                      : options.ssl_udp_naked          ? "--ssl-udp-naked"
                                                       : nullptr;
  if (alone == nullptr) return {};
  return {Errc::kConfig, std::string(alone) + " is for ssl, which --methods does not list"};
}

}  // namespace

bool ServerOptions::Accepts(Method method) const {
  return std::ranges::count(methods, method) + std::ranges::count(subauth, method) != 0;
}

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
  if (Status status = CheckTogether(options); !status.ok()) return status;
  return std::optional<ServerOptions>(std::move(options));
}

}  // namespace socksify
