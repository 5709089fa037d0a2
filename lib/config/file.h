// The files a run is configured by: the settings file and the password file.
#ifndef LIB_CONFIG_FILE_H_
#define LIB_CONFIG_FILE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/secret.h"

namespace socksify {

// All of a file's text. Nothing when the file does not exist; kConfig when it cannot be read, is
// not a regular file (or /dev/null) or is over 1 MB. Blocks on the disk. Works on its own
// descriptor.
Result<std::optional<std::string>> ReadTextFile(const std::string& path);

struct FileEntry {  // one "key = value"
  std::string key;
  std::string value;
  int line;
};

// Cuts the text into entries. '#' starts a comment at the start of a line and behind a blank; empty
// lines are skipped. kConfig with "PATH:LINE: ..." for any other line and for a key given twice.
Result<std::vector<FileEntry>> ParseEntries(const std::string& path, std::string_view text);

// The first line of a password file. kConfig when it is missing, empty, over 255 octets, or when
// group or others could read or change it.
Result<Secret> ReadPasswordFile(const std::string& path);

}  // namespace socksify

#endif  // LIB_CONFIG_FILE_H_
