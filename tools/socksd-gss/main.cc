// socksd-gss(8): the accepting side of the core library as a server.
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "lib/base/log.h"
#include "lib/security/gss_layer.h"
#include "lib/security/ssl_layer.h"
#include "tools/socksd-gss/options.h"
#include "tools/socksd-gss/server.h"
#include "tools/socksd-gss/users.h"

namespace socksify {
namespace {

constexpr char kName[] = "socksd-gss";
constexpr int kExitFailure = 1;  // cannot start or go on
constexpr int kExitUsage = 125;  // the options are wrong

void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void Prepare() {
  (void)signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  // Names are looked up in libuv's pool, half of it at a time: some slow ones must not stop the
  // rest.
  (void)setenv("UV_THREADPOOL_SIZE", "64", /*overwrite=*/0);
  // Frames come and go by the ten thousand: keep their memory at hand instead of giving it back.
  (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
  (void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

// CHAP computes with the password itself, for which a hash will not do.
void WarnOfHashes(const UserDatabase& users) {
  constexpr size_t kShown = 8;
  const std::vector<std::string> hashed = users.HashedUsers();
  if (hashed.empty()) return;
  std::string names;
  for (size_t i = 0; i < hashed.size() && i < kShown; i++) names += (i ? ", " : "") + hashed[i];
  if (hashed.size() > kShown) names += ", ...";
  Log::Warn("chap is of no use to those whose passwords are hashed: " + names);
}

// The key speaks for the server: as with --users, nobody else may read it.
Status CheckKeyFile(const std::string& path) {
  struct stat info;
  if (path.starts_with("pkcs11:")) return {};
  if (stat(path.c_str(), &info) != 0) {
    return {Errc::kConfig, "--tls-key: cannot read " + path + ": " + strerror(errno)};
  }
  if ((info.st_mode & S_IRWXO) == 0) return {};
  return {Errc::kConfig, "--tls-key: others can read " + path + ": chmod o= it"};
}

// Reads the files that the options name.
Result<Server::Rules> ReadRules(const ServerOptions& options, std::shared_ptr<Quota> quota) {
  auto rules = std::make_shared<ServerRules>();
  rules->quota = std::move(quota);
  rules->policy.methods = options.methods;
  rules->policy.levels = options.levels;
  rules->policy.subauth = options.subauth;
  rules->policy.udp_naked = options.ssl_udp_naked;
  rules->policy.gss_fast_path = options.gss_fast_path;
  rules->targets = options.targets;
  rules->udp_sources = options.udp_sources;
  rules->connect_seconds = options.connect_seconds;
  rules->idle_seconds = options.idle_seconds;
  if (!options.users_file.empty()) {
    auto users = ReadUsers(options.users_file);
    if (!users.ok()) return users.status();
    rules->policy.users = std::move(*users);
    if (options.Accepts(Method::kChap)) WarnOfHashes(rules->policy.users);
  }
  if (options.Accepts(Method::kGssapi)) {
    auto credential = AcquireGssAcceptorCredential(options.keytab, options.gss_service);
    if (!credential.ok()) return credential.status();
    rules->policy.gss_credential = std::move(*credential);
  }
  if (options.Accepts(Method::kSsl)) {
    if (Status status = CheckKeyFile(options.tls_key); !status.ok()) return status;
    auto credential = AcquireSslAcceptorCredential(options.tls_cert, options.tls_key,
                                                   options.tls_client_ca, options.tls_priority);
    if (!credential.ok()) return credential.status();
    rules->policy.ssl_credential = std::move(*credential);
    if (options.tls_client_ca.empty() && options.subauth.empty()) {
      Log::Warn("ssl clients are not asked who they are: see --subauth and --tls-client-ca");
    }
  }
  return Server::Rules(std::move(rules));
}

Status Serve(const ServerOptions& options) {
  auto quota = std::make_shared<Quota>(options.max_ports);  // also of those who came before SIGHUP
  auto rules = ReadRules(options, quota);
  if (!rules.ok()) return rules.status();
  Server server(
      std::move(*rules), [&] { return ReadRules(options, quota); }, options.max_clients);
  for (const std::string& where : options.listen) {
    if (Status status = server.Listen(where); !status.ok()) return status;
  }
  return server.Run(options.threads != 0 ? options.threads : uv_available_parallelism());
}

int Main(int argc, char** argv) {
  Log::Open(kName, LogLevel::kWarn, STDERR_FILENO, write);
  auto options = ParseOptions(argc, argv);
  if (!options.ok()) {
    Log::Error(options.status().message());
    return kExitUsage;
  }
  if (!options->has_value()) return 0;
  Log::Open(kName, (*options)->log_level, STDERR_FILENO, write);
  Prepare();
  if (Status status = Serve(**options); !status.ok()) {
    Log::Error(status.message());
    return kExitFailure;
  }
  return 0;
}

}  // namespace
}  // namespace socksify

int main(int argc, char** argv) { return socksify::Main(argc, argv); }
