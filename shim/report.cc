#include "shim/report.h"

#include <unordered_set>

#include "shim/mutex.h"

namespace socksify {
namespace {

constexpr size_t kMaxRemembered = 256;  // causes; a program that finds more hears no more of them

bool FirstTime(const std::string& cause) {
  MutexLock lock(leaf_mutex);
  static auto* const told = new std::unordered_set<std::string>();  // never destroyed
  return told->size() < kMaxRemembered && told->insert(cause).second;
}

bool IsDestinationsAnswer(Errc code) {
  switch (code) {
    case Errc::kReplyNetworkUnreachable:
    case Errc::kReplyHostUnreachable:
    case Errc::kReplyRefused:
    case Errc::kReplyTtlExpired:
      return true;
    default:
      return false;
  }
}

}  // namespace

void ReportOnce(const std::string& line, LogLevel level) {
  if (Log::Enabled(level) && FirstTime(line)) Log::Write(level, line);
}

void ReportFailure(const Status& error, const ServerEndpoint& server, const Address& destination) {
  const std::string line = "cannot connect to " + destination.ToString() + " through " +
                           server.ToString() + ": " + error.message();
  if (IsDestinationsAnswer(error.code())) {
    Log::Info(line);
  } else if (Log::Enabled(LogLevel::kWarn) && FirstTime(error.message())) {
    Log::Warn(line);
  }
}

}  // namespace socksify
