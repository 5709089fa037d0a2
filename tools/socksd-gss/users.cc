#include "tools/socksd-gss/users.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "lib/base/bytes.h"

namespace socksify {
namespace {

constexpr size_t kMaxField = 255;  // RFC 1929 section 2: one length octet

struct FileCloser {
  void operator()(FILE* file) const { (void)fclose(file); }
};

// One line at a time, wiped when the next one comes.
class LineReader {
 public:
  explicit LineReader(FILE* file) : file_(file) {
    // stdio's own buffer would keep passwords behind.
    (void)setvbuf(file, nullptr, _IONBF, 0);
  }
  ~LineReader() {
    Wipe({reinterpret_cast<uint8_t*>(line_), capacity_});
    free(line_);
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  bool Next(std::string_view* line) {
    const ssize_t count = getline(&line_, &capacity_, file_);
    if (count < 0) return false;
    *line = {line_, static_cast<size_t>(count)};
    while (line->ends_with('\n') || line->ends_with('\r')) line->remove_suffix(1);
    return true;
  }

 private:
  FILE* const file_;
  char* line_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace

Result<UserDatabase> ReadUsers(const std::string& path) {
  std::unique_ptr<FILE, FileCloser> file(fopen(path.c_str(), "re"));
  struct stat info;
  if (file == nullptr || fstat(fileno(file.get()), &info) != 0) {
    return {Errc::kConfig, "--users: cannot read " + path + ": " + strerror(errno)};
  }
  if ((info.st_mode & S_IRWXO) != 0) {
    return {Errc::kConfig, "--users: others can read " + path + ": chmod o= it"};
  }
  std::map<std::string, StoredPassword> users;
  LineReader reader(file.get());
  std::string_view line;
  for (size_t number = 1; reader.Next(&line); number++) {
    if (line.empty() || line.starts_with('#')) continue;
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const std::string_view text =
        colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    auto password = ParseStoredPassword(text);
    const size_t length = password.ok() && !password->hashed ? password->text.octets().size() : 1;
    Status status = password.status();
    if (name.empty() || text.empty() || name.size() > kMaxField || length > kMaxField) {
      status = {Errc::kConfig, "not name:password of 1 to 255 octets each"};
    }
    if (!status.ok()) {
      std::string where = "--users: " + path + ":";
      where += std::to_string(number) + ": ";
      return {Errc::kConfig, where + status.message()};
    }
    users.insert_or_assign(std::string(name), std::move(*password));
  }
  return UserDatabase(std::move(users));
}

}  // namespace socksify
