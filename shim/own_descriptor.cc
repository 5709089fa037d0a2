#include "shim/own_descriptor.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>

#include "shim/descriptor_table.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

constexpr int kLowest = 512;  // out of the way; above it if the limit on descriptors allows

}  // namespace

int OwnDescriptor::Duplicate(int fd) {
  int high = real::fcntl(fd, F_DUPFD_CLOEXEC, kLowest);
  if (high < 0 && errno == EINVAL) high = real::fcntl(fd, F_DUPFD_CLOEXEC, 3);
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
  (void)DescriptorTable::Clear(fd);
  (void)real::close(fd);
}

void OwnDescriptor::CloseAllButLog(int log_fd) {
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark mark) {
    if (mark == DescriptorTable::Mark::kOwn && fd != log_fd) Close(fd);
  });
}

}  // namespace socksify
