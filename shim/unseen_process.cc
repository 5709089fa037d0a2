#include "shim/unseen_process.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "shim/real_calls.h"

namespace socksify {

bool AdoptsOrphans() {
  int adopts = 0;
  return getpid() == 1 || (real::prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && adopts != 0);
}

long ForkUnseen() {
  constexpr long kNoExitSignal = 0;  // wait(2) passes by what sends none
  return real::syscall(SYS_clone, kNoExitSignal, 0L, 0L, 0L, 0L);
}

void AwaitUnseen(long process) {
  while (real::syscall(SYS_wait4, process, nullptr, __WCLONE, nullptr) < 0 && errno == EINTR) {
  }
}

}  // namespace socksify
