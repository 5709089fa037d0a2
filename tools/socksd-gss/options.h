// The command line of socksd-gss. One table says what there is, reads it and makes --help.
#ifndef TOOLS_SOCKSD_GSS_OPTIONS_H_
#define TOOLS_SOCKSD_GSS_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/result.h"
#include "lib/security/security_layer.h"
#include "lib/wire/socks5.h"
#include "tools/socksd-gss/rules.h"

namespace socksify {

struct ServerOptions {
  std::vector<std::string> listen;
  std::vector<Method> methods = {Method::kGssapi};
  std::string keytab;
  std::string gss_service = "socks";
  std::vector<ProtectionLevel> levels = {ProtectionLevel::kIntegrity,
                                         ProtectionLevel::kConfidentiality};
  std::string tls_cert, tls_key, tls_client_ca, tls_priority;
  std::vector<Method> subauth;
  bool gss_fast_path = true;
  bool ssl_udp_naked = false;
  std::string users_file;

  // Is the method listed, to be used as it is or inside ssl?
  bool Accepts(Method method) const;
  TargetRules targets;
  size_t max_clients = 0;  // no limit
  unsigned connect_seconds = 30;
  TargetRules udp_sources;
  unsigned idle_seconds = 300;  // RFC 4787 REQ-5
  size_t max_ports = 1024;
  unsigned threads = 0;  // one per core
  LogLevel log_level = LogLevel::kWarn;
};

// Nothing when --help or --version has been answered on stdout.
Result<std::optional<ServerOptions>> ParseOptions(int argc, char** argv);

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_OPTIONS_H_
