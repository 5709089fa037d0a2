// The settings of one run: immutable once loaded. interface.md lists them.
//
// Precedence: option, SOCKSIFY_* variable, configuration file, generic variable, default. The
// launcher resolves all of it and hands the outcome to the shim as SOCKSIFY_* variables alone.
#ifndef LIB_CONFIG_CONFIG_H_
#define LIB_CONFIG_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/config/bypass.h"
#include "lib/wire/socks5.h"

namespace socksify {

struct ServerEndpoint {
  std::string host;  // a name or an address without brackets
  uint16_t port = 1080;

  std::string ToString() const;  // "proxy.example.com:1080", "[2001:db8::1]:1080"
  bool operator==(const ServerEndpoint&) const = default;
};

enum class Protection : uint8_t { kIntegrity = 1, kConfidentiality = 2, kSelective = 3 };
enum class Delegation : uint8_t { kPolicy, kAlways, kNever };
enum class DnsMode : uint8_t { kRemote, kLocal };
enum class UdpMode : uint8_t { kRelay, kBlock, kDirect };
enum class SslMethod : uint8_t { k86, k06, kBoth };

struct Config {
  std::vector<ServerEndpoint> servers;  // tried in order; at least one once validated
  std::vector<Method> methods = {Method::kGssapi};
  Protection protection = Protection::kConfidentiality;
  std::vector<std::string> gss_services = {"socks", "rcmd"};
  Delegation gss_delegate = Delegation::kPolicy;
  bool gss_nec = false;
  bool gss_fast_path = true;
  std::string tls_ca, tls_cert, tls_key, tls_name, tls_priority;
  SslMethod ssl_method = SslMethod::k86;
  bool ssl_udp_naked = false;
  std::vector<Method> subauth;
  std::string user;
  Secret password;
  std::string password_file;
  BypassRules bypass;  // default: localhost, 127.0.0.0/8, ::1
  DnsMode dns = DnsMode::kRemote;
  UdpMode udp = UdpMode::kRelay;
  bool bind = false;
  bool no_children = false;
  uint32_t timeout_seconds = 30;
  LogLevel log_level = LogLevel::kWarn;
  std::string log_file;  // empty: stderr
};

}  // namespace socksify

#endif  // LIB_CONFIG_CONFIG_H_
