#include "shim/relay_process.h"

#include <sys/socket.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "shim/helper_process.h"
#include "shim/own_descriptor.h"
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

RelayProcess::Channel::Channel() {
  // The shim's buffers hold 300 KB at most; what the kernel allows by default is 416 KB.
  constexpr int kRoom = 512 * 1024;
  int ends[2];
  if (real::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  ours_ = OwnDescriptor::Adopt(ends[0]);
  its_ = OwnDescriptor::Adopt(ends[1]);
  if (ours_ >= 0) (void)real::setsockopt(ours_, SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
}

RelayProcess::Channel::~Channel() {
  if (ours_ >= 0) OwnDescriptor::Close(ours_);
  if (its_ >= 0) OwnDescriptor::Close(its_);
}

bool RelayProcess::Take(int server, int stand_in, const Channel& channel, ByteView state) {
  while (!state.empty()) {
    const ssize_t sent =
        real::send(channel.ours_, state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return false;
    state = state.subspan(static_cast<size_t>(sent));
  }
  constexpr uint8_t kOctet = 0;
  return SendWithDescriptors(g_relay.control(), ByteView(&kOctet, 1),
                             {server, stand_in, channel.its_});
}

void RelayProcess::Forget() { g_relay.Forget(); }

}  // namespace socksify
