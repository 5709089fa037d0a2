#include "shim/run_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "shim/real_calls.h"
#include "shim/run_environment.h"

namespace socksify {
namespace {

constexpr time_t kStaleAfter = 24 * 60 * 60;

// A directory of the user's own, not reachable by others. Empty when there is none.
std::string RunDirectory() {
  std::string path;
  const char* runtime = RunEnvironment::Get("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') {
    path = std::string(runtime) + "/socksify-gss";
  } else {
    path = "/tmp/socksify-gss-" + std::to_string(geteuid());
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return {};
  struct stat status;
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
      (status.st_mode & 077) != 0) {
    return {};
  }
  return path;
}

// Removes maps of runs whose first process has gone, and that nobody has written to for a day.
void RemoveStale(const std::string& directory) {
  DIR* listing = opendir(directory.c_str());
  if (listing == nullptr) return;
  timespec now;  // time(2) would be looked up in the kernel's library at the start of every program
  clock_gettime(CLOCK_REALTIME, &now);
  while (const dirent* entry = readdir(listing)) {
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    struct stat status;
    const std::string path = directory + "/" + entry->d_name;
    if (lstat(path.c_str(), &status) == 0 && now.tv_sec - status.st_mtime > kStaleAfter) {
      (void)unlink(path.c_str());
    }
  }
  closedir(listing);
}

bool IsPlainToken(std::string_view token) {
  if (token.empty() || token.size() > 64 || token.front() == '.') return false;
  for (char c : token) {
    if (!isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') return false;
  }
  return true;
}

// The file of this run, or -1: then this process and its children have a map of their own.
int OpenRunFile(const char* suffix, size_t size) {
  rlimit limit;  // beyond it ftruncate would end the process
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size) return -1;
  const char* run = RunEnvironment::Get("SOCKSIFY_RUN");
  if (run == nullptr || !IsPlainToken(run)) return -1;
  const std::string directory = RunDirectory();
  if (directory.empty()) return -1;
  const std::string path = directory + "/" + run + suffix;
  int fd = real::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  static std::atomic<bool> removed{false};  // one time will do for a process
  if (fd >= 0 && !removed.exchange(true)) RemoveStale(directory);
  if (fd < 0) {
    fd = real::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  }
  struct stat status;
  if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
                  status.st_uid != geteuid() || ftruncate(fd, static_cast<off_t>(size)) != 0)) {
    (void)real::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

void* MapRunFile(const char* suffix, size_t size) {
  const int fd = OpenRunFile(suffix, size);
  const int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
  void* map = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (fd >= 0) (void)real::close(fd);
  return map == MAP_FAILED ? nullptr : map;
}

bool Reserve(void* octets, size_t count) {
  constexpr uintptr_t kPage = 4096;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(octets) & ~(kPage - 1);
  const uintptr_t end = reinterpret_cast<uintptr_t>(octets) + count;
  return madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE) == 0 ||
         errno == EINVAL;  // before Linux 5.14
}

}  // namespace socksify
