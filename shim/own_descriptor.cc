#include "shim/own_descriptor.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "shim/descriptor_table.h"
#include "shim/mutex.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

constexpr rlim_t kHeadroom = 64;

int g_raised = 0;  // guarded by leaf_mutex: guards that live, while the limit is raised
rlimit g_limit;    // as the application has it, meanwhile

constexpr int kLowest = 512;  // out of the way; above it if the limit on descriptors allows

}  // namespace

int OwnDescriptor::Duplicate(int fd) {
  int high = real::fcntl(fd, F_DUPFD_CLOEXEC, kLowest);
  if (high < 0 && (errno == EINVAL || errno == EMFILE)) high = real::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (high >= 0) DescriptorTable::Set(high, DescriptorTable::Mark::kOwn);
  return high;
}

int OwnDescriptor::Adopt(int fd) {
  if (fd < 0) return -1;
  const int high = Duplicate(fd);
  const int error = errno;
  (void)real::close(fd);
  errno = error;
  return high;
}

void OwnDescriptor::Close(int fd) {
  (void)real::close(fd);
  DescriptorTable::Forget(fd);
}

void OwnDescriptor::CloseAllBut(bool (*keep)(int fd)) {
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark mark) {
    if (mark == DescriptorTable::Mark::kOwn && !keep(fd)) Close(fd);
  });
}

DescriptorHeadroom::DescriptorHeadroom() {
  const int saved_errno = errno;
  MutexLock lock(leaf_mutex);
  const int probe = g_raised == 0 ? real::eventfd(0, EFD_CLOEXEC) : -1;
  if (probe >= 0) {
    (void)real::close(probe);
  } else if (g_raised != 0 || errno == EMFILE) {
    raised_ = true;
    if (g_raised++ == 0 && getrlimit(RLIMIT_NOFILE, &g_limit) == 0) {
      const rlimit more = {std::min(g_limit.rlim_max, g_limit.rlim_cur + kHeadroom),
                           g_limit.rlim_max};
      (void)setrlimit(RLIMIT_NOFILE, &more);
    }
  }
  errno = saved_errno;
}

DescriptorHeadroom::~DescriptorHeadroom() {
  if (!raised_) return;
  const int saved_errno = errno;
  MutexLock lock(leaf_mutex);
  if (--g_raised == 0) (void)setrlimit(RLIMIT_NOFILE, &g_limit);
  errno = saved_errno;
}

}  // namespace socksify
