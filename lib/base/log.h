// One line per event on stderr or a file, for the shim and the tools alike.
//
// Async-signal-safe once opened: one write(2) per line and no lock. The shim gives its own write so
// that a log line never comes back into the interposed calls.
#ifndef LIB_BASE_LOG_H_
#define LIB_BASE_LOG_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace socksify {

enum class LogLevel : unsigned char { kQuiet, kError, kWarn, kInfo, kDebug };

class Log {
 public:
  // `name` starts each line ("socksify-gss: ...") and must outlive the process's last line.
  // `fd` is borrowed. Until Open() is called nothing is written.
  using WriteFunction = long (*)(int fd, const void* octets, size_t count);
  static void Open(const char* name, LogLevel level, int fd, WriteFunction write);

  static bool Enabled(LogLevel level);
  static void Write(LogLevel level, std::string_view message);

  static void Error(std::string_view message) { Write(LogLevel::kError, message); }
  static void Warn(std::string_view message) { Write(LogLevel::kWarn, message); }
  static void Info(std::string_view message) { Write(LogLevel::kInfo, message); }
  static void Debug(std::string_view message) { Write(LogLevel::kDebug, message); }
};

}  // namespace socksify

#endif  // LIB_BASE_LOG_H_
