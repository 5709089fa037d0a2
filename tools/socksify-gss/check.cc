#include "tools/socksify-gss/check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/log.h"
#include "lib/io/core_loader.h"
#include "lib/io/handshake.h"
#include "lib/io/socket_address.h"
#include "tools/socksify-gss/parts.h"
#include "tools/socksify-gss/program.h"

namespace socksify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kExitUnusable = 1;

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

long long MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Waits for a connect that is under way. Returns errno, 0 when it is established.
int AwaitConnect(int fd, Deadline deadline) {
  pollfd wait = {fd, POLLOUT, 0};
  int ready;
  do {
    ready = poll(&wait, 1, MillisecondsUntil(deadline));
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return errno;
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

// Tries the server's addresses one after the other.
Result<Socket> Connect(const ServerEndpoint& server, Deadline deadline) {
  Result<std::vector<Address>> addresses = ResolveServer(server);
  if (!addresses.ok()) return addresses.status();
  int error = EADDRNOTAVAIL;
  for (const Address& address : *addresses) {
    const int family = address.type == AddressType::kIpv4 ? AF_INET : AF_INET6;
    std::optional<SocketAddress> target = SockaddrFromAddress(address, family);
    if (!target) continue;
    Socket socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.get() < 0) {
      error = errno;
      continue;
    }
    error = connect(socket.get(), target->get(), target->length) == 0 ? 0 : errno;
    if (error == EINPROGRESS || error == EINTR) error = AwaitConnect(socket.get(), deadline);
    if (error == 0) return socket;
  }
  const Errc code = error == ETIMEDOUT ? Errc::kTimeout : Errc::kNetwork;
  return {code, std::string("cannot connect: ") + strerror(error) + "; is a SOCKS server there?"};
}

const char* LevelName(ProtectionLevel level) {
  switch (level) {
    case ProtectionLevel::kIntegrity:
      return "integrity";
    case ProtectionLevel::kConfidentiality:
      return "confidentiality";
    case ProtectionLevel::kSelective:
      return "selective";
    case ProtectionLevel::kNone:
      break;
  }
  return "none";
}

void PrintLine(const char* key, const std::string& value) {
  if (!value.empty()) printf("%s: %s\n", key, value.c_str());
}

// Ends the session as its method has it, or the server would take it for cut off. As far as the
// socket takes it at once: nothing else depends on it.
void SayGoodbye(int fd, ClientEngine& engine) {
  Bytes farewell;
  const std::unique_ptr<SecurityLayer> layer = engine.TakeLayer();
  if (!layer->Close(&farewell).ok() || farewell.empty()) return;
  (void)send(fd, farewell.data(), farewell.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// One negotiation with the server, and how long it took.
struct Negotiation {
  Method method;
  SecuritySummary summary;
  long long connect_ms, negotiation_ms;
};

Result<Negotiation> Negotiate(const Core& core, const Config& config,
                              const ServerEndpoint& server) {
  const Deadline deadline = Clock::now() + std::chrono::seconds(config.timeout_seconds);
  std::unique_ptr<ClientEngine> engine = core.new_client(config, server, std::nullopt);
  const Clock::time_point connect_start = Clock::now();
  Result<Socket> socket = Connect(server, deadline);
  if (!socket.ok()) return socket.status();
  const long long connect_ms = MillisecondsSince(connect_start);
  const Clock::time_point negotiation_start = Clock::now();
  if (Status status = engine->Prepare(); !status.ok()) return status;
  Handshake handshake(kLibcSocketCalls, socket->get(), *engine);
  if (Status status = handshake.Run(deadline); !status.ok()) return status;
  const long long negotiation_ms = MillisecondsSince(negotiation_start);
  SayGoodbye(socket->get(), *engine);
  return Negotiation{engine->method(), engine->summary(), connect_ms, negotiation_ms};
}

// What the layer says of itself under this name; null when it does not.
std::string* FindDetail(SecuritySummary& summary, std::string_view name) {
  for (auto& [key, value] : summary.details) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Success is printed; the error is for the caller to report.
Status CheckServer(const Core& core, const Config& config, const ServerEndpoint& server) {
  Result<Negotiation> first = Negotiate(core, config, server);
  if (!first.ok()) return first.status();
  SecuritySummary& summary = first->summary;
  std::string again;
  if (std::string* resumed = FindDetail(summary, "resumed")) {
    // Only a later connection can tell whether the server resumes sessions.
    Result<Negotiation> second = Negotiate(core, config, server);
    if (!second.ok()) return second.status();
    if (const std::string* now = FindDetail(second->summary, "resumed")) *resumed = *now;
    again = ", once more " + std::to_string(second->negotiation_ms) + " ms";
  }
  PrintLine("server", server.ToString());
  PrintLine("method", MethodName(first->method));
  PrintLine("mechanism", summary.mechanism);
  PrintLine("client principal", summary.client_principal);
  PrintLine("server principal", summary.server_principal);
  PrintLine("protection", LevelName(summary.level));
  for (const auto& [key, value] : summary.details) PrintLine(key.c_str(), value);
  printf("times: connect %lld ms, negotiation %lld ms%s\n", first->connect_ms,
         first->negotiation_ms, again.c_str());
  fflush(stdout);
  return {};
}

}  // namespace

int Check(const Config& config) {
  Result<Parts> parts = FindParts();
  Result<const Core*> core = parts.ok() ? LoadCore(parts->core) : parts.status();
  if (!core.ok()) {
    Log::Error(core.status().message());
    return kExitOwnFailure;
  }
  std::string failures;
  for (const ServerEndpoint& server : config.servers) {
    Status status = CheckServer(**core, config, server);
    if (status.ok()) return 0;
    if (!failures.empty()) failures += "; ";
    failures += server.ToString() + ": " + status.message();
  }
  Log::Error(failures);
  return kExitUnusable;
}

}  // namespace socksify
