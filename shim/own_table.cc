#include "shim/own_table.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "shim/descriptor_table.h"
#include "shim/guard.h"
#include "shim/real_calls.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

struct Work {
  int kept[2];  // ascending
  const std::function<void()>& function;
  bool done = false;
};

void* Run(void* argument) {
  auto* work = static_cast<Work*>(argument);
  const Guard guard;
  int start = STDERR_FILENO + 1;
  // The end of the table first, so that the kernel does not even copy it.
  const unsigned end = static_cast<unsigned>(std::max(start, work->kept[1] + 1));
  if (real::close_range(end, UINT_MAX, CLOSE_RANGE_UNSHARE) != 0) return nullptr;
  DescriptorTable::LeaveToOthers();
  for (int kept : work->kept) {
    if (kept > start) (void)real::close_range(start, kept - 1, 0);
    start = std::max(start, kept + 1);
  }
  work->function();
  work->done = true;
  return nullptr;
}

}  // namespace

bool RunWithOwnTable(int fd, const std::function<void()>& function) {
  const SignalsBlocked signals;  // the thread inherits it
  const int log = Runtime::log_fd();
  Work work = {{std::min(fd, log), std::max(fd, log)}, function};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, &Run, &work) != 0) return false;
  pthread_join(thread, nullptr);
  return work.done;
}

}  // namespace socksify
