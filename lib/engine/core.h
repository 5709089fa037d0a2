// The door of the core library, which the shim and `socksify-gss --check` open with dlopen: what
// lies behind it (GSS-API, GnuTLS) is loaded by nobody who makes no proxied connection.
#ifndef LIB_ENGINE_CORE_H_
#define LIB_ENGINE_CORE_H_

#include <memory>
#include <optional>

#include "lib/engine/client_engine.h"

namespace socksify {

// Both sides are built together: `version` must be the caller's own SOCKSIFY_VERSION, since classes
// cross this door.
struct Core {
  const char* version;
  std::unique_ptr<ClientEngine> (*new_client)(const Config& config, const ServerEndpoint& server,
                                              std::optional<Request> request);
};

inline constexpr char kCoreSymbol[] = "socksify_core";  // a Core

}  // namespace socksify

extern "C" __attribute__((visibility("default"))) const socksify::Core socksify_core;

#endif  // LIB_ENGINE_CORE_H_
