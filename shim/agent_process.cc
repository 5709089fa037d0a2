#include "shim/agent_process.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "shim/clock.h"
#include "shim/descriptor_table.h"
#include "shim/helper_process.h"
#include "shim/own_descriptor.h"
#include "shim/process.h"
#include "shim/real_calls.h"
#include "shim/run_environment.h"
#include "shim/runtime.h"
#include "shim/signals.h"

namespace socksify {
namespace {

constexpr int64_t kPatience = 10;  // seconds beyond what the negotiation may take

// The application's, with the settings of the run, and without the libraries preloaded.
std::vector<std::string> AgentEnvironment() {
  std::vector<std::string> entries;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    if (!entry.starts_with("LD_PRELOAD=") && !entry.starts_with(RunEnvironment::kPrefix)) {
      entries.emplace_back(entry);
    }
  }
  for (size_t n = 0; const char* entry = RunEnvironment::Entry(n); ++n) entries.emplace_back(entry);
  for (const char* name : RunEnvironment::kBorrowed) {  // cleared by the program
    const char* value = getenv(name) == nullptr ? RunEnvironment::Get(name) : nullptr;
    if (value != nullptr) entries.push_back(std::string(name) + "=" + value);
  }
  return entries;
}

constinit HelperProcess g_agent("socksify-gss-agent", &AgentEnvironment);

// A bit for each number: a forked child asks of many.
constinit std::atomic<uint64_t> g_channels[DescriptorTable::kNumbers / 64] = {};

void SetChannel(int fd, bool is) {
  const auto number = static_cast<unsigned>(fd);
  if (number >= DescriptorTable::kNumbers) return;
  const uint64_t bit = uint64_t{1} << number % 64;
  is ? g_channels[number / 64].fetch_or(bit) : g_channels[number / 64].fetch_and(~bit);
}

// A pair of the shim's own descriptors; closed by whoever has them not taken.
class OwnPair {
 public:
  ~OwnPair() {
    const int error = errno;
    for (int end : ends_) {
      if (end >= 0) OwnDescriptor::Close(end);
    }
    errno = error;
  }
  bool Adopt(const int made[2], int (*adopt)(int) = &OwnDescriptor::Adopt) {
    ends_[0] = adopt(made[0]);
    ends_[1] = OwnDescriptor::Adopt(made[1]);
    return ends_[0] >= 0 && ends_[1] >= 0;
  }
  int end(int which) const { return ends_[which]; }
  int Take(int which) { return std::exchange(ends_[which], -1); }

 private:
  int ends_[2] = {-1, -1};
};

// Waits for the reply. False with errno; EINTR where the reply itself may be waited for: others are
// given at once, to calls that no signal interrupts.
bool AwaitReply(int pipe, bool may_wait) {
  const Config* config = Runtime::GetConfig();
  const int64_t until =
      MonotonicNow() + ((config != nullptr ? int64_t{config->timeout_seconds} : 0) + kPatience) *
                           kNanosecondsPerSecond;
  for (;;) {
    pollfd wait = {pipe, POLLIN, 0};
    const int64_t left = (until - MonotonicNow()) / kNanosecondsPerMillisecond;
    if (left <= 0) return errno = ETIMEDOUT, false;
    const int ready =
        real::poll(&wait, nfds_t{1}, static_cast<int>(std::min<int64_t>(left, INT_MAX)));
    if (ready > 0) return true;
    if (ready < 0 && (errno != EINTR || (may_wait && !SignalsRestartCalls()))) return false;
  }
}

// `passed`: a descriptor that goes with the request; -1 for none.
std::optional<AgentReply> AskOn(int socket, const AgentRequest& request, int passed) {
  const CancellationDisabled no_cancellation;
  OwnPair pipe;
  {
    const DescriptorHeadroom headroom;
    int ends[2];
    if (real::pipe2(ends, O_CLOEXEC) != 0 || !pipe.Adopt(ends)) return std::nullopt;
  }
  const Bytes octets = EncodeAgentRequest(request);
  bool sent;
  do {
    sent = passed >= 0 ? SendWithDescriptors(socket, octets, {pipe.end(1), passed})
                       : SendWithDescriptors(socket, octets, {pipe.end(1)});
  } while (!sent && errno == EINTR);
  OwnDescriptor::Close(pipe.Take(1));  // the agent has the only other: its end is seen here
  if (!sent) {
    if (errno == ECONNRESET || errno == ENOTCONN) errno = EPIPE;
    return std::nullopt;
  }
  if (!AwaitReply(pipe.end(0), request.wait)) return std::nullopt;
  Bytes buffer(PIPE_BUF);
  const ssize_t size = real::read(pipe.end(0), buffer.data(), buffer.size());
  if (size <= 0) return errno = EPIPE, std::nullopt;
  auto reply = DecodeAgentReply(ByteView(buffer.data(), static_cast<size_t>(size)));
  if (!reply.ok()) return errno = EPROTO, std::nullopt;
  return std::move(*reply);
}

}  // namespace

AgentChannel::AgentChannel(int fd) : fd_(fd) { SetChannel(fd, true); }

AgentChannel::~AgentChannel() {
  SetChannel(fd_, false);
  OwnDescriptor::Close(fd_);
}

bool AgentChannel::Is(int fd) {
  const auto number = static_cast<unsigned>(fd);
  return number < DescriptorTable::kNumbers && (g_channels[number / 64] >> number % 64 & 1) != 0;
}

bool AgentChannel::ended() const {
  pollfd now = {fd_, 0, 0};
  return real::poll(&now, nfds_t{1}, 0) > 0 && (now.revents & POLLHUP) != 0;
}

std::optional<AgentReply> AgentChannel::Ask(const AgentRequest& request) const {
  return AskOn(fd_, request, -1);
}

std::optional<AgentReply> AgentProcess::Open(const AgentRequest& request,
                                             std::shared_ptr<AgentChannel>* channel) {
  if (InVforkChild()) return errno = EACCES, std::nullopt;  // the memory is its parent's
  OwnPair pair;
  {
    const DescriptorHeadroom headroom;
    int ends[2];
    if (real::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        !pair.Adopt(ends, &OwnDescriptor::AdoptBehind)) {
      return std::nullopt;
    }
    if (!g_agent.Start()) return errno = EACCES, std::nullopt;
  }
  auto reply = AskOn(g_agent.control(), request, pair.end(1));
  if (!reply && errno == EPIPE) {  // it has ended since: a new one
    if (!g_agent.Start()) return errno = EACCES, std::nullopt;
    reply = AskOn(g_agent.control(), request, pair.end(1));
  }
  if (!reply && errno == EPIPE) errno = EACCES;
  if (reply && reply->error == 0) *channel = std::make_shared<AgentChannel>(pair.Take(0));
  return reply;
}

bool AgentProcess::IsControl(int fd) { return fd == g_agent.control(); }

void AgentProcess::AfterForkInChild() { g_agent.AfterFork(); }

}  // namespace socksify
