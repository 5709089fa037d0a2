// Where the launcher's other parts are: found relative to itself, so that an installed tree works
// under any directory.
#ifndef TOOLS_SOCKSIFY_GSS_PARTS_H_
#define TOOLS_SOCKSIFY_GSS_PARTS_H_

#include <string>

#include "lib/base/result.h"

namespace socksify {

struct Parts {
  std::string shim;  // to be preloaded
  std::string core;  // what the shim loads
};

// Beside the launcher (build tree), else in ../lib/socksify-gss (installed tree). kConfig when they
// are missing, or where the dynamic linker could not load them: it would go on without, unwrapped.
Result<Parts> FindParts();

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_PARTS_H_
