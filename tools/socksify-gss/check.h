// --check: does the server do what the settings ask of it?
#ifndef TOOLS_SOCKSIFY_GSS_CHECK_H_
#define TOOLS_SOCKSIFY_GSS_CHECK_H_

#include "lib/config/config.h"

namespace socksify {

// Connects and negotiates with the servers in order until one is usable, and prints on stdout what
// was agreed. Returns the exit status: 0, or 1 after one line on stderr that says what is wrong and
// what to do. Blocks, per server up to the configured timeout.
int Check(const Config& config);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_CHECK_H_
