#include "lib/config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/config/text.h"

namespace socksify {
namespace {

constexpr size_t kMaxFileSize = 1 << 20;
constexpr size_t kMaxPasswordLength = 255;  // RFC 1929 section 2

class Descriptor {
 public:
  // O_NONBLOCK: a FIFO in place of the file must not hang the program; it is refused afterwards.
  explicit Descriptor(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

Status Unreadable(const std::string& path, int error) {
  return {Errc::kConfig, path + ": cannot read it: " + strerror(error)};
}

// Reads up to `max` octets. Returns errno, 0 when it went well.
int ReadUpTo(int fd, size_t max, Bytes* octets) {
  octets->resize(max);
  size_t filled = 0;
  while (filled < max) {
    const ssize_t count = read(fd, octets->data() + filled, max - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  octets->resize(filled);
  return 0;
}

std::string_view WithoutComment(std::string_view line) {
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

}  // namespace

Result<std::optional<std::string>> ReadTextFile(const std::string& path) {
  Descriptor file(path);
  if (file.get() < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) return std::optional<std::string>();
    return Unreadable(path, error);
  }
  struct stat status;
  if (fstat(file.get(), &status) != 0) return Unreadable(path, errno);
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
    return {Errc::kConfig, path + ": not a regular file"};
  }
  Bytes octets;
  if (int error = ReadUpTo(file.get(), kMaxFileSize + 1, &octets); error != 0) {
    return Unreadable(path, error);
  }
  if (octets.size() > kMaxFileSize) return {Errc::kConfig, path + ": larger than 1 MB"};
  return std::optional<std::string>(AsText(octets));
}

Result<std::vector<FileEntry>> ParseEntries(const std::string& path, std::string_view text) {
  std::vector<FileEntry> entries;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trim(WithoutComment(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    number++;
    if (line.empty()) continue;
    const std::string where = path + ":" + std::to_string(number) + ": ";
    const size_t equals = line.find('=');
    std::string_view key = Trim(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) {
      return {Errc::kConfig, where + "not a 'key = value' line"};
    }
    auto same = std::ranges::find(entries, key, &FileEntry::key);
    if (same != entries.end()) {
      return {Errc::kConfig, where + same->key + " is set a second time (first in line " +
                                 std::to_string(same->line) + ")"};
    }
    entries.push_back({std::string(key), std::string(Trim(line.substr(equals + 1))), number});
  }
  return entries;
}

Result<Secret> ReadPasswordFile(const std::string& path) {
  Descriptor file(path);
  if (file.get() < 0) return Unreadable(path, errno);
  struct stat status;
  if (fstat(file.get(), &status) != 0) return Unreadable(path, errno);
  if (!S_ISREG(status.st_mode)) return {Errc::kConfig, path + ": not a regular file"};
  if ((status.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
    return {Errc::kConfig,
            path + ": others can read or change the password (do: chmod 600 " + path + ")"};
  }
  Bytes octets;
  const int error = ReadUpTo(file.get(), kMaxPasswordLength + 2, &octets);  // and CR, LF
  if (error != 0) return Unreadable(path, error);
  std::string_view line = AsText(octets);
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  Secret password(line);
  Wipe(octets);
  if (password.empty()) return {Errc::kConfig, path + ": the first line is empty, not a password"};
  if (password.octets().size() > kMaxPasswordLength) {
    return {Errc::kConfig, path + ": the password is longer than 255 octets"};
  }
  return password;
}

}  // namespace socksify
