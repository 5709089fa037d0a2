#include "shim/spawn_directory.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

struct Step {
  enum class Kind : unsigned char { kPath, kDescriptor, kMade };
  Kind kind;
  int fd;
  std::string path;
};
using Steps = std::vector<Step>;

// By address: actions that are copied octet by octet are none (posix_spawn_file_actions_init(3)).
using Table = std::unordered_map<const SpawnDirectory::Actions*, Steps>;
Table& GetTable() {  // guarded by leaf_mutex
  static auto* const table = new Table();
  return *table;
}

void Note(const SpawnDirectory::Actions* actions, Step step) {
  MutexLock lock(leaf_mutex);
  GetTable()[actions].push_back(std::move(step));
}

Steps Find(const SpawnDirectory::Actions* actions) {
  MutexLock lock(leaf_mutex);
  const auto found = GetTable().find(actions);
  return found == GetTable().end() ? Steps() : found->second;
}

int OpenDirectory(int from, const char* path) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const int fd = real::openat(from, path, kFlags);
  if (fd >= 0 || errno != EMFILE) return fd;
  const DescriptorHeadroom headroom;
  return real::openat(from, path, kFlags);
}

}  // namespace

void SpawnDirectory::Forget(const Actions* actions) {
  MutexLock lock(leaf_mutex);
  GetTable().erase(actions);
}

void SpawnDirectory::NoteChange(const Actions* actions, const char* path) {
  Note(actions, {Step::Kind::kPath, -1, path});
}

void SpawnDirectory::NoteChange(const Actions* actions, int fd) {
  Note(actions, {Step::Kind::kDescriptor, fd, {}});
}

void SpawnDirectory::NoteMade(const Actions* actions, int fd) {
  Note(actions, {Step::Kind::kMade, fd, {}});
}

SpawnDirectory::SpawnDirectory(const Actions* actions) : fd_(AT_FDCWD) {
  if (actions == nullptr) return;
  const int saved_errno = errno;
  std::vector<int> made;
  for (const Step& step : Find(actions)) {
    if (step.kind == Step::Kind::kMade) made.push_back(step.fd);
    if (step.kind == Step::Kind::kPath) Go(step.path.c_str());
    if (step.kind == Step::Kind::kDescriptor) {
      Go(step.fd, std::find(made.begin(), made.end(), step.fd) != made.end());
    }
    if (error_ != 0) break;
  }
  errno = saved_errno;
}

SpawnDirectory::~SpawnDirectory() {
  const int saved_errno = errno;
  Become(kNobodyKnows, false);
  errno = saved_errno;
}

void SpawnDirectory::Go(const char* path) {
  if (fd_ == kNobodyKnows && path[0] != '/') return;
  const int fd = OpenDirectory(fd_, path);
  if (fd < 0) error_ = errno;
  Become(fd, true);
}

void SpawnDirectory::Go(int fd, bool made) {
  if (!made && real::fcntl(fd, F_GETFD) < 0) error_ = errno;
  Become(made ? kNobodyKnows : fd, false);
}

void SpawnDirectory::Become(int fd, bool own) {
  if (own_) (void)real::close(fd_);
  fd_ = fd;
  own_ = own && fd >= 0;
}

}  // namespace socksify
