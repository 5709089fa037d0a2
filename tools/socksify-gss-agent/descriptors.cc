#include "tools/socksify-gss-agent/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>

#include "tools/helper/unique_fd.h"

namespace socksify {
namespace {

// For those that are prepared at a time, on libuv's four threads: for each the credentials, the
// KDC, the resolver.
constexpr int kEnough = 16;

// Are so many numbers free? The kernel gives out the lowest, so the free ones are mostly the last.
bool AreFree(int count) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  for (rlim_t fd = limit.rlim_cur; fd > 0 && count > 0; fd--) {
    if (fcntl(static_cast<int>(fd - 1), F_GETFD) == -1) count--;
  }
  return count == 0;
}

}  // namespace

Status EnoughDescriptors() {
  if (!AreFree(kEnough)) return OutOfDescriptors();
  const UniqueFd any(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));  // the system's may be used up
  return any.get() == -1 && IsOutOfDescriptors(errno) ? OutOfDescriptors() : Status();
}

bool IsOutOfDescriptors(int error) { return error == EMFILE || error == ENFILE; }

Status OutOfDescriptors() {
  return {Errc::kDescriptors,
          "the helper socksify-gss-agent is out of descriptors; see ulimit -Hn"};
}

}  // namespace socksify
