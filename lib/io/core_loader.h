// Loads the core library (lib/engine/core.h).
#ifndef LIB_IO_CORE_LOADER_H_
#define LIB_IO_CORE_LOADER_H_

#include <string>

#include "lib/base/result.h"
#include "lib/engine/core.h"

namespace socksify {

inline constexpr char kCoreFile[] = "libsocksify-gss-core.so";

// `path` is the file of the core. It stays loaded for the life of the process. kConfig when it
// cannot be loaded or is of another version. May block on the disk; not for signal handlers.
Result<const Core*> LoadCore(const std::string& path);

}  // namespace socksify

#endif  // LIB_IO_CORE_LOADER_H_
