// socksd-gss(8): the accepting side of the core library as a server.
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>

#include "lib/base/log.h"
#include "lib/security/gss_layer.h"
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

Status ReadRules(const ServerOptions& options, ServerRules* rules) {
  rules->policy.methods = options.methods;
  rules->policy.levels = options.levels;
  rules->targets = options.targets;
  rules->connect_seconds = options.connect_seconds;
  if (!options.users_file.empty()) {
    auto users = ReadUsers(options.users_file);
    if (!users.ok()) return users.status();
    rules->policy.users = std::move(*users);
  }
  if (std::ranges::count(options.methods, Method::kGssapi) != 0) {
    auto credential = AcquireGssAcceptorCredential(options.keytab, options.gss_service);
    if (!credential.ok()) return credential.status();
    rules->policy.gss_credential = std::move(*credential);
  }
  return {};
}

Status Serve(const ServerOptions& options) {
  ServerRules rules;
  if (Status status = ReadRules(options, &rules); !status.ok()) return status;
  Server server(rules, options.max_clients);
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
