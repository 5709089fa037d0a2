#include "shim/runtime.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "lib/config/loader.h"
#include "lib/io/core_loader.h"
#include "shim/child_environment.h"
#include "shim/guard.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/run_environment.h"
#include "shim/signals.h"

namespace socksify {
namespace {

std::atomic<const Config*> g_config{nullptr};
std::atomic<const Core*> g_core{nullptr};
pthread_once_t g_config_once = PTHREAD_ONCE_INIT;
pthread_once_t g_core_once = PTHREAD_ONCE_INIT;
int g_log_fd = -1;

// A daemon may have closed stderr, and its number may be a network connection by now: say nothing
// then.
long WriteLog(int fd, const void* octets, size_t count) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (real::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
      (domain == AF_INET || domain == AF_INET6)) {
    return -1;
  }
  // A reader that has gone must not end the program: SIGPIPE is kept from it, unless it had one
  // before.
  const SignalsBlocked signals;
  sigset_t pipe, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  const long written = real::write(fd, octets, count);
  const timespec now = {};
  if (written < 0 && errno == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
    (void)sigtimedwait(&pipe, nullptr, &now);
  }
  return written;
}

constexpr int kLogFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;

void OpenLog(const Config& config) {
  if (!config.log_file.empty()) {
    g_log_fd = OwnDescriptor::Adopt(real::open(config.log_file.c_str(), kLogFlags, 0600));
    if (g_log_fd < 0) {
      Log::Warn("cannot open the log file " + config.log_file + ": " + strerror(errno));
    }
  }
  Log::Open("socksify-gss", config.log_level, g_log_fd >= 0 ? g_log_fd : STDERR_FILENO, &WriteLog);
}

// For a process that --no-children keeps out of the run, and that has the library nevertheless.
void LeaveAlone(Config& config) {
  if (auto everything = BypassRules::Parse("0.0.0.0/0,::/0"); everything.ok()) {
    config.bypass = std::move(*everything);
  }
  config.dns = DnsMode::kLocal;
  config.udp = UdpMode::kDirect;
}

void LoadConfig() {
  Guard guard;
  const DescriptorHeadroom headroom;
  Log::Open("socksify-gss", LogLevel::kWarn, STDERR_FILENO, &WriteLog);
  auto config = LoadFrom([](const char* name) -> const char* {
    const char* value = RunEnvironment::Get(name);
    return value != nullptr ? value : getenv(name);
  });
  if (!config.ok()) {
    ReportOnce(config.status().message(), LogLevel::kError);
    return;
  }
  if (ChildEnvironment::IsLeftAlone(ChildEnvironment::For::kThisProcess)) LeaveAlone(*config);
  PrepareForForks();
  OpenLog(*config);
  g_config = new Config(std::move(*config));  // never destroyed: threads outlive destructors
}

void LoadCoreOnce() {
  auto core = LoadCore(Runtime::Directory() + kCoreFile);
  if (core.ok()) {
    g_core = *core;
  } else {
    ReportOnce(core.status().message(), LogLevel::kError);
  }
}

}  // namespace

const Config* Runtime::GetConfig() {
  const Config* config = g_config.load(std::memory_order_acquire);
  if (config != nullptr) return config;
  pthread_once(&g_config_once, &LoadConfig);
  return g_config;
}

const Config* Runtime::LoadedConfig() { return g_config.load(std::memory_order_acquire); }

const Core* Runtime::LoadedCore() { return g_core.load(std::memory_order_acquire); }

const Core* Runtime::GetCore() {
  pthread_once(&g_core_once, &LoadCoreOnce);
  return g_core;
}

std::string Runtime::Directory() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&Runtime::Directory), &self) == 0 ||
      self.dli_fname == nullptr) {
    return "./";
  }
  const std::string path = self.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

void Runtime::WarnAnywhere(const char* message) {
  if (LoadedConfig() != nullptr) {
    Log::Warn(message);
    return;
  }
  const char* level = RunEnvironment::Get("SOCKSIFY_LOG");
  if (level != nullptr && (strcmp(level, "quiet") == 0 || strcmp(level, "error") == 0)) return;
  char line[640];
  const int length = snprintf(line, sizeof line - 1, "socksify-gss: %s", message);
  size_t size = std::min(static_cast<size_t>(length), sizeof line - 2);
  for (char& c : std::span(line, size)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  line[size++] = '\n';
  const char* file = RunEnvironment::Get("SOCKSIFY_LOG_FILE");
  const bool named = file != nullptr && *file != '\0';
  const int fd = named ? real::open(file, kLogFlags, 0600) : STDERR_FILENO;
  if (fd >= 0) (void)WriteLog(fd, line, size);
  if (fd >= 0 && named) (void)real::close(fd);
}

int Runtime::log_fd() { return g_log_fd; }

}  // namespace socksify
