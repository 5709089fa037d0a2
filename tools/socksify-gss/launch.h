// Runs the command with the shim preloaded.
#ifndef TOOLS_SOCKSIFY_GSS_LAUNCH_H_
#define TOOLS_SOCKSIFY_GSS_LAUNCH_H_

#include "lib/config/config.h"
#include "lib/config/loader.h"

namespace socksify {

// Replaces this process by the command (NULL-terminated, not empty). Returns only on failure, with
// the exit status, after saying why.
int Launch(char** command, const Config& config, const ConfigLoader& loader);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_LAUNCH_H_
