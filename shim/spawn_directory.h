// The directory in which posix_spawn(3) looks for a program: its file actions may change it, and
// libc tells nobody what they are. So they are noted when they are added.
#ifndef SHIM_SPAWN_DIRECTORY_H_
#define SHIM_SPAWN_DIRECTORY_H_

#include <spawn.h>

namespace socksify {

class SpawnDirectory {
 public:
  using Actions = posix_spawn_file_actions_t;

  // New actions, or none any more.
  static void Forget(const Actions* actions);
  // What has been added: a change to `path`, to what `fd` is, a descriptor that will be `fd`.
  static void NoteChange(const Actions* actions, const char* path);
  static void NoteChange(const Actions* actions, int fd);
  static void NoteMade(const Actions* actions, int fd);

  // Follows the changes. `actions` may be null. Keeps errno.
  explicit SpawnDirectory(const Actions* actions);
  ~SpawnDirectory();
  SpawnDirectory(const SpawnDirectory&) = delete;
  SpawnDirectory& operator=(const SpawnDirectory&) = delete;

  // errno, where they cannot be followed: so the call is to fail. 0: they can.
  int error() const { return error_; }
  // For openat(2) and its kin: AT_FDCWD where nothing changes. A number that is no descriptor when
  // the directory is one that only the new process will have: EBADF for all but absolute paths.
  int fd() const { return fd_; }

 private:
  static constexpr int kNobodyKnows = -1;

  void Go(const char* path);
  void Go(int fd, bool made);
  void Become(int fd, bool own);

  int fd_;
  bool own_ = false;
  int error_ = 0;
};

}  // namespace socksify

#endif  // SHIM_SPAWN_DIRECTORY_H_
