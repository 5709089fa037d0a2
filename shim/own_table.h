// When the application has used up its descriptors, and may not have more (RLIMIT_NOFILE, the hard
// limit), what needs some is done in a thread whose table of descriptors is its own.
#ifndef SHIM_OWN_TABLE_H_
#define SHIM_OWN_TABLE_H_

#include <functional>

namespace socksify {

// Calls `function` in such a thread, all signals blocked, under a Guard, and returns when it has
// returned. Of the descriptors of this process it finds `fd`, unless that is -1, the log's and 0 to
// 2, under their numbers; what it opens is closed when it returns. False when that cannot be had:
// then it has not been called.
bool RunWithOwnTable(int fd, const std::function<void()>& function);

}  // namespace socksify

#endif  // SHIM_OWN_TABLE_H_
