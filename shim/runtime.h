// What the shim of this process runs with: its configuration, and the core once it is needed.
#ifndef SHIM_RUNTIME_H_
#define SHIM_RUNTIME_H_

#include <string>

#include "lib/config/config.h"
#include "lib/engine/core.h"

namespace socksify {

class Runtime {
 public:
  // Loaded on first use, from the environment. Null when it is unusable, which has been reported:
  // then nothing may connect.
  static const Config* GetConfig();

  // The configuration if it has been loaded already, else null. Never loads.
  static const Config* LoadedConfig();

  // The core if it has been loaded already, else null. Never loads.
  static const Core* LoadedCore();

  // Loaded at the first proxied connection, with GSS-API behind it. Null when it cannot be, which
  // has been reported. Call under a Guard.
  static const Core* GetCore();

  // Where this library lies, and its other parts, with the slash behind it.
  static std::string Directory();

  // A warning from any process, a child of vfork included, whether or not the configuration has
  // been loaded: nothing is allocated for it, nor loaded.
  static void WarnAnywhere(const char* message);

  static int log_fd();  // -1 while the log goes to stderr
};

}  // namespace socksify

#endif  // SHIM_RUNTIME_H_
