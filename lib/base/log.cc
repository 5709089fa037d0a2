#include "lib/base/log.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace socksify {
namespace {

constexpr size_t kMaxLine = 1024;

const char* g_name = "";
std::atomic<LogLevel> g_level{LogLevel::kQuiet};
int g_fd = -1;
Log::WriteFunction g_write = nullptr;

}  // namespace

void Log::Open(const char* name, LogLevel level, int fd, WriteFunction write) {
  g_name = name;
  g_fd = fd;
  g_write = write;
  g_level.store(level, std::memory_order_release);
}

bool Log::Enabled(LogLevel level) {
  return level != LogLevel::kQuiet && level <= g_level.load(std::memory_order_acquire);
}

void Log::Write(LogLevel level, std::string_view message) {
  if (!Enabled(level)) return;
  const int saved_errno = errno;
  char line[kMaxLine];
  size_t length = 0;
  auto append = [&](std::string_view text) {
    size_t count = std::min(text.size(), kMaxLine - 1 - length);
    memcpy(line + length, text.data(), count);
    length += count;
  };
  append(g_name);
  append(": ");
  for (char c :
       message.substr(0, kMaxLine)) {  // one event, one line; no terminal escapes from a peer
    char shown = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    append({&shown, 1});
  }
  line[length++] = '\n';
  (void)g_write(g_fd, line, length);
  errno = saved_errno;
}

}  // namespace socksify
