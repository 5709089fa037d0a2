#include "lib/config/settings.h"

#include <algorithm>

#include "lib/config/text.h"
#include "lib/config/values.h"

namespace socksify {
namespace {

constexpr uint32_t kMaxTimeout = 86400;     // a day; milliseconds of it still fit an int for poll
constexpr size_t kMaxUserpassLength = 255;  // RFC 1929 section 2: one length octet

constexpr NamedValue<Method> kMethods[] = {{"gssapi", Method::kGssapi},
                                           {"ssl", Method::kSsl},
                                           {"chap", Method::kChap},
                                           {"userpass", Method::kUserpass},
                                           {"none", Method::kNone}};
constexpr NamedValue<Method> kSubauths[] = {
    {"userpass", Method::kUserpass}, {"chap", Method::kChap}, {"none", Method::kNone}};
constexpr NamedValue<Protection> kProtections[] = {
    {"integrity", Protection::kIntegrity},
    {"confidentiality", Protection::kConfidentiality},
    {"selective", Protection::kSelective}};
constexpr NamedValue<Delegation> kDelegations[] = {{"policy", Delegation::kPolicy},
                                                   {"always", Delegation::kAlways},
                                                   {"never", Delegation::kNever}};
constexpr NamedValue<SslMethod> kSslMethods[] = {
    {"0x86", SslMethod::k86}, {"0x06", SslMethod::k06}, {"both", SslMethod::kBoth}};
constexpr NamedValue<DnsMode> kDnsModes[] = {{"remote", DnsMode::kRemote},
                                             {"local", DnsMode::kLocal}};
constexpr NamedValue<UdpMode> kUdpModes[] = {
    {"relay", UdpMode::kRelay}, {"block", UdpMode::kBlock}, {"direct", UdpMode::kDirect}};
constexpr NamedValue<LogLevel> kLogLevels[] = {{"error", LogLevel::kError},
                                               {"warn", LogLevel::kWarn},
                                               {"info", LogLevel::kInfo},
                                               {"debug", LogLevel::kDebug},
                                               {"quiet", LogLevel::kQuiet}};

// HOST, HOST:PORT, [IPV6], [IPV6]:PORT.
Result<ServerEndpoint> ParseEndpoint(std::string_view text) {
  const Status malformed(Errc::kConfig, Quoted(text) + " is not HOST[:PORT]");
  ServerEndpoint endpoint;
  std::string_view host = text, rest;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return malformed;
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (host.find(':') == std::string_view::npos || !ParseIp(host)) return malformed;
  } else {
    const size_t colon = text.find(':');
    if (colon != text.rfind(':')) {
      return {Errc::kConfig, Quoted(text) + ": an IPv6 address goes in brackets"};
    }
    host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? "" : text.substr(colon);
    if (!ParseIp(host) && !IsHostName(host)) return malformed;
  }
  endpoint.host = host;
  if (rest.empty()) return endpoint;
  if (!rest.starts_with(':')) return malformed;
  std::optional<uint16_t> port = ParsePort(rest.substr(1));
  if (!port) return {Errc::kConfig, Quoted(text) + ": the port is not one of 1 to 65535"};
  endpoint.port = *port;
  return endpoint;
}

Status ParseServers(std::string_view text, Config& config) {
  std::vector<ServerEndpoint> servers;
  for (std::string_view item : SplitList(text)) {
    Result<ServerEndpoint> endpoint = ParseEndpoint(item);
    if (!endpoint.ok()) return endpoint.status();
    if (std::ranges::find(servers, *endpoint) != servers.end()) {
      return {Errc::kConfig, Quoted(item) + " is listed twice"};
    }
    servers.push_back(std::move(*endpoint));
  }
  config.servers = std::move(servers);
  return {};
}

std::string PrintServers(const Config& config) {
  std::string text;
  for (const ServerEndpoint& server : config.servers) {
    text += (text.empty() ? "" : ",") + server.ToString();
  }
  return text;
}

Status ParseServices(std::string_view text, Config& config) {
  std::vector<std::string> services;
  for (std::string_view item : SplitList(text)) {
    if (std::ranges::find(services, item) != services.end()) {
      return {Errc::kConfig, Quoted(item) + " is listed twice"};
    }
    // service@host is what the name becomes later; a host or realm here makes sense only in a whole
    // principal, service/host@REALM.
    if (item.find('/') == std::string_view::npos && item.find('@') != std::string_view::npos) {
      return {Errc::kConfig, Quoted(item) + " is neither a service name nor a whole principal"};
    }
    services.emplace_back(item);
  }
  if (services.empty()) return {Errc::kConfig, "empty; wanted is at least one service name"};
  config.gss_services = std::move(services);
  return {};
}

std::string PrintServices(const Config& config) {
  std::string text;
  for (const std::string& service : config.gss_services)
    text += (text.empty() ? "" : ",") + service;
  return text;
}

Status ParseBypass(std::string_view text, Config& config) {
  Result<BypassRules> rules = BypassRules::Parse(text);
  if (!rules.ok()) return rules.status();
  config.bypass = std::move(*rules);
  return {};
}

std::string PrintBypass(const Config& config) { return config.bypass.ToString(); }

Status ParseTimeout(std::string_view text, Config& config) {
  std::optional<uint32_t> seconds = ParseNumber(text, kMaxTimeout);
  if (!seconds || *seconds == 0) {
    return {Errc::kConfig, Quoted(text) + " is not a number of seconds from 1 to 86400"};
  }
  config.timeout_seconds = *seconds;
  return {};
}

std::string PrintTimeout(const Config& config) { return std::to_string(config.timeout_seconds); }

Status ParseUser(std::string_view text, Config& config) {
  if (text.size() > kMaxUserpassLength) return {Errc::kConfig, "longer than 255 octets"};
  return ParseText<&Config::user>(text, config);
}

Status ParsePassword(std::string_view text, Config& config) {
  if (text.size() > kMaxUserpassLength) return {Errc::kConfig, "longer than 255 octets"};
  config.password = Secret(text);
  return {};
}

std::string PrintPassword(const Config& config) { return std::string(config.password.text()); }

using Kind = Setting::Kind;

constexpr Setting kSettings[] = {
    {"server", 's', "SOCKSIFY_SERVER", "HOST[:PORT],...", "",
     "SOCKS server, IPv6 in brackets; several are tried in order", Kind::kValue, ParseServers,
     PrintServers},
    {"methods", 'm', "SOCKSIFY_METHODS", "LIST", "gssapi",
     "authentication methods to offer, in order: gssapi, ssl, chap, userpass, none", Kind::kValue,
     ParseListOf<&Config::methods, kMethods, false>, PrintListOf<&Config::methods, kMethods>},
    {"protection", 'p', "SOCKSIFY_PROTECTION", "LEVEL", "confidentiality",
     "level asked for and least accepted: integrity, confidentiality, selective", Kind::kValue,
     ParseChoiceOf<&Config::protection, kProtections>,
     PrintChoiceOf<&Config::protection, kProtections>},
    {"gss-service", 0, "SOCKSIFY_GSS_SERVICE", "LIST", "socks,rcmd",
     "service names tried in order; one with a / is a whole principal", Kind::kValue, ParseServices,
     PrintServices},
    {"gss-delegate", 0, "SOCKSIFY_GSS_DELEGATE", "WHEN", "policy",
     "delegate credentials: policy (where the realm says so), always, never", Kind::kValue,
     ParseChoiceOf<&Config::gss_delegate, kDelegations>,
     PrintChoiceOf<&Config::gss_delegate, kDelegations>},
    {"gss-nec", 0, "SOCKSIFY_GSS_NEC", "0|1", "0",
     "protection level in clear, as the NEC reference implementation does", Kind::kFlag,
     ParseFlag<&Config::gss_nec>, PrintFlag<&Config::gss_nec>},
    {"gss-fast-path", 0, "SOCKSIFY_GSS_FAST_PATH", "0|1", "1",
     "make the messages of Kerberos sessions without its library, several times as fast",
     Kind::kFlag, ParseFlag<&Config::gss_fast_path>, PrintFlag<&Config::gss_fast_path>},
    {"tls-ca", 0, "SOCKSIFY_TLS_CA", "FILE", "",
     "certificates to trust in ssl (default: the system's)", Kind::kPath,
     ParseText<&Config::tls_ca>, PrintText<&Config::tls_ca>},
    {"tls-cert", 0, "SOCKSIFY_TLS_CERT", "FILE", "", "our own certificate for ssl", Kind::kPath,
     ParseText<&Config::tls_cert>, PrintText<&Config::tls_cert>},
    {"tls-key", 0, "SOCKSIFY_TLS_KEY", "FILE", "", "the key of our own certificate", Kind::kPath,
     ParseText<&Config::tls_key>, PrintText<&Config::tls_key>},
    {"tls-name", 0, "SOCKSIFY_TLS_NAME", "NAME", "",
     "name to verify in the certificate (default: the server's)", Kind::kValue,
     ParseText<&Config::tls_name>, PrintText<&Config::tls_name>},
    {"tls-priority", 0, "SOCKSIFY_TLS_PRIORITY", "STRING", "",
     "GnuTLS priority string (default: TLS 1.2 or later)", Kind::kValue,
     ParseText<&Config::tls_priority>, PrintText<&Config::tls_priority>},
    {"ssl-method", 0, "SOCKSIFY_SSL_METHOD", "NUMBER", "0x86",
     "method number that stands for ssl: 0x86, 0x06, both", Kind::kValue,
     ParseChoiceOf<&Config::ssl_method, kSslMethods>,
     PrintChoiceOf<&Config::ssl_method, kSslMethods>},
    {"ssl-udp-naked", 0, "SOCKSIFY_SSL_UDP_NAKED", "0|1", "0",
     "let UDP go to the server in clear where ssl is used, which cannot protect it", Kind::kFlag,
     ParseFlag<&Config::ssl_udp_naked>, PrintFlag<&Config::ssl_udp_naked>},
    {"subauth", 0, "SOCKSIFY_SUBAUTH", "LIST", "",
     "methods offered inside ssl, in order: userpass, chap, none", Kind::kValue,
     ParseListOf<&Config::subauth, kSubauths, true>, PrintListOf<&Config::subauth, kSubauths>},
    {"user", 'u', "SOCKSIFY_USER", "NAME", "", "user name for userpass and chap", Kind::kValue,
     ParseUser, PrintText<&Config::user>},
    {"password-file", 0, "SOCKSIFY_PASSWORD_FILE", "FILE", "",
     "file whose first line is the password; nobody else may read it", Kind::kPath,
     ParseText<&Config::password_file>, PrintText<&Config::password_file>},
    {"", 0, "SOCKSIFY_PASSWORD", "PASSWORD", "", "the password itself", Kind::kPassword,
     ParsePassword, PrintPassword},
    {"bypass", 'x', "SOCKSIFY_BYPASS", "LIST", "localhost,127.0.0.0/8,::1",
     "go direct to these: names, .suffix, addresses, CIDR, each with optional :port", Kind::kValue,
     ParseBypass, PrintBypass},
    {"dns", 0, "SOCKSIFY_DNS", "WHERE", "remote", "who resolves names: remote (the server), local",
     Kind::kValue, ParseChoiceOf<&Config::dns, kDnsModes>, PrintChoiceOf<&Config::dns, kDnsModes>},
    {"udp", 0, "SOCKSIFY_UDP", "WHAT", "relay",
     "what becomes of UDP: relay (by the server), block, direct", Kind::kValue,
     ParseChoiceOf<&Config::udp, kUdpModes>, PrintChoiceOf<&Config::udp, kUdpModes>},
    {"bind", 0, "SOCKSIFY_BIND", "0|1", "0", "accept inbound connections through SOCKS BIND",
     Kind::kFlag, ParseFlag<&Config::bind>, PrintFlag<&Config::bind>},
    {"no-children", 0, "SOCKSIFY_NO_CHILDREN", "0|1", "0",
     "wrap the command alone, not the programs it starts in other processes", Kind::kFlag,
     ParseFlag<&Config::no_children>, PrintFlag<&Config::no_children>},
    {"timeout", 't', "SOCKSIFY_TIMEOUT", "SECONDS", "30", "limit for one connection's negotiation",
     Kind::kValue, ParseTimeout, PrintTimeout},
    {"config", 'c', "SOCKSIFY_CONFIG", "FILE", "", "configuration file; an empty name reads none",
     Kind::kFile, nullptr, nullptr},
    {"log", 0, "SOCKSIFY_LOG", "LEVEL", "warn", "what to log: error, warn, info, debug, quiet",
     Kind::kValue, ParseChoiceOf<&Config::log_level, kLogLevels>,
     PrintChoiceOf<&Config::log_level, kLogLevels>},
    {"log-file", 0, "SOCKSIFY_LOG_FILE", "FILE", "", "where to log (default: standard error)",
     Kind::kPath, ParseText<&Config::log_file>, PrintText<&Config::log_file>},
};

}  // namespace

std::span<const Setting> Settings() { return kSettings; }

const Setting* FindSetting(std::string_view option) {
  if (option.empty()) return nullptr;
  for (const Setting& setting : kSettings) {
    if (option == setting.option) return &setting;
  }
  return nullptr;
}

}  // namespace socksify
