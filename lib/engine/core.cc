#include "lib/engine/core.h"

const socksify::Core socksify_core = {SOCKSIFY_VERSION, &socksify::ClientEngine::New};
