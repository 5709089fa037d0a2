#include "shim/relay_process.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "shim/helper_process.h"
#include "shim/real_calls.h"
#include "shim/run_environment.h"

namespace socksify {
namespace {

// What it needs of the environment: where Kerberos is configured. Not LD_PRELOAD.
std::vector<std::string> RelayEnvironment() {
  std::vector<std::string> kept;
  for (const char* name : {"KRB5_CONFIG", "LD_LIBRARY_PATH"}) {
    const char* value = getenv(name);
    if (value == nullptr) value = RunEnvironment::Get(name);  // cleared by the program
    if (value != nullptr) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

constinit HelperProcess g_relay("socksify-gss-relay", &RelayEnvironment);

}  // namespace

bool RelayProcess::Start() { return g_relay.Start(); }

bool RelayProcess::Take(int server, int stand_in, ByteView state) {
  const int memory = memfd_create("session", MFD_CLOEXEC);
  if (memory < 0) return false;
  size_t written = 0;
  while (written < state.size()) {
    const ssize_t part = real::write(memory, state.data() + written, state.size() - written);
    if (part < 0) break;
    written += static_cast<size_t>(part);
  }
  constexpr uint8_t kOctet = 0;
  const bool sent =
      written == state.size() &&
      SendWithDescriptors(g_relay.control(), ByteView(&kOctet, 1), {server, stand_in, memory});
  const int error = errno;
  (void)real::close(memory);
  errno = error;
  return sent;
}

void RelayProcess::Forget() { g_relay.Forget(); }

}  // namespace socksify
