#include "shim/own_descriptor.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <climits>
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

// As many as a connection needs while it is made: for the resolver, the credentials, the KDC, the
// service. Numbers are taken from below, so one that is free so far from the end tells.
bool IsRoom() {
  constexpr int kNeeded = 16;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return true;
  const auto last = static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT_MAX)) - kNeeded;
  const int probe = real::eventfd(0, EFD_CLOEXEC);
  if (probe < 0 || last < 0) return (void)real::close(probe), false;
  const int from = static_cast<int>(std::min<int64_t>(last, kLowest));
  const int free_number = real::fcntl(probe, F_DUPFD_CLOEXEC, from);
  (void)real::close(probe);
  (void)real::close(free_number);
  return free_number >= 0 && free_number <= last;
}

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

int OwnDescriptor::AdoptBehind(int fd) {
  if (fd < 0) return -1;
  int high = -1;
  {
    MutexLock lock(leaf_mutex);
    rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      const rlim_t from = g_raised != 0 ? g_limit.rlim_cur : limit.rlim_cur;
      const rlimit all = {limit.rlim_max, limit.rlim_max};
      if (from < std::min<rlim_t>(limit.rlim_max, DescriptorTable::kNumbers) &&
          setrlimit(RLIMIT_NOFILE, &all) == 0) {
        high = real::fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(from));
        (void)setrlimit(RLIMIT_NOFILE, &limit);
      }
    }
  }
  if (high < 0) return Adopt(fd);
  DescriptorTable::Set(high, DescriptorTable::Mark::kOwn);
  (void)real::close(fd);
  return high;
}

void OwnDescriptor::Close(int fd) {
  DescriptorTable::Forget(fd);  // before another thread can have the number for its own
  (void)real::close(fd);
}

void OwnDescriptor::CloseAllBut(bool (*keep)(int fd)) {
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark mark) {
    if (mark == DescriptorTable::Mark::kOwn && !keep(fd)) Close(fd);
  });
}

DescriptorHeadroom::DescriptorHeadroom() {
  const int saved_errno = errno;
  MutexLock lock(leaf_mutex);
  enough_ = IsRoom();
  if (g_raised != 0 || !enough_) {
    raised_ = true;
    if (g_raised++ == 0 && getrlimit(RLIMIT_NOFILE, &g_limit) == 0) {
      const rlimit more = {std::min(g_limit.rlim_max, g_limit.rlim_cur + kHeadroom),
                           g_limit.rlim_max};
      (void)setrlimit(RLIMIT_NOFILE, &more);
    }
    enough_ = IsRoom();
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
