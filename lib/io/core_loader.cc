#include "lib/io/core_loader.h"

#include <dlfcn.h>

#include <cstring>

namespace socksify {

Result<const Core*> LoadCore(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* why = dlerror();
    return {Errc::kConfig, std::string("cannot load the core library: ") + (why ? why : path)};
  }
  const auto* core = static_cast<const Core*>(dlsym(library, kCoreSymbol));
  if (core == nullptr || strcmp(core->version, SOCKSIFY_VERSION) != 0) {
    return {Errc::kConfig, path + " is not the core library of version " SOCKSIFY_VERSION};
  }
  return core;
}

}  // namespace socksify
