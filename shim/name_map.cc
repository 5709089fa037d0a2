#include "shim/name_map.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "lib/config/text.h"
#include "shim/guard.h"
#include "shim/real_calls.h"

namespace socksify {
namespace {

constexpr uint32_t kNetwork =
    198u << 24 | 18u << 16;               // RFC 2544: benchmarks, never on the Internet
constexpr uint32_t kCapacity = 1u << 17;  // /15
constexpr uint8_t kIpv6Prefix[12] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x98, 0x00, 0x18, 0, 0, 0, 0};
constexpr time_t kStaleAfter = 24 * 60 * 60;

struct Entry {
  enum : uint32_t { kFree, kWriting, kReady };
  std::atomic<uint32_t> state;
  uint32_t length;
  char name[256];

  std::string_view text() const { return {name, length}; }
};
static_assert(sizeof(Entry) == 264);
constexpr size_t kMapSize =
    kCapacity * sizeof(Entry);  // a sparse file: pages come with their names

// A directory of the user's own, not reachable by others. Empty when there is none.
std::string RunDirectory() {
  std::string path;
  const char* runtime = getenv("XDG_RUNTIME_DIR");
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
  while (const dirent* entry = readdir(listing)) {
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
    struct stat status;
    const std::string path = directory + "/" + entry->d_name;
    if (lstat(path.c_str(), &status) == 0 && time(nullptr) - status.st_mtime > kStaleAfter) {
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
int OpenMapFile(std::string* opened) {
  rlimit limit;  // beyond it ftruncate would end the process
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < kMapSize) return -1;
  const char* run = getenv("SOCKSIFY_RUN");
  if (run == nullptr || !IsPlainToken(run)) return -1;
  const std::string directory = RunDirectory();
  if (directory.empty()) return -1;
  const std::string path = directory + "/" + run;
  int fd = real::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) {
    RemoveStale(directory);
  } else {
    fd = real::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  }
  struct stat status;
  if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
                  status.st_uid != geteuid() || ftruncate(fd, kMapSize) != 0)) {
    (void)real::close(fd);
    return -1;
  }
  *opened = path;
  return fd;
}

Entry* g_map = nullptr;
std::string* g_path = nullptr;  // of the file behind the map; null for memory of our own
pthread_once_t g_once = PTHREAD_ONCE_INIT;

void MapOnce() {
  Guard guard;
  std::string path;
  const int fd = OpenMapFile(&path);
  const int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
  void* map = mmap(nullptr, kMapSize, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (fd >= 0) (void)real::close(fd);
  if (map == MAP_FAILED) return;
  if (fd >= 0) g_path = new std::string(std::move(path));
  g_map = static_cast<Entry*>(map);
}

// Has the file system room for the entry? A page that it cannot hold must not be written to. The
// kernel says so of the mapping itself since Linux 5.14; before, the file is asked, which a process
// that has changed its root or its user since may not find.
bool Reserve(Entry& entry) {
  if (g_path == nullptr) return true;
  constexpr uintptr_t kPage = 4096;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(&entry) & ~(kPage - 1);
  const uintptr_t end = reinterpret_cast<uintptr_t>(&entry + 1);
  if (madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE) == 0) return true;
  if (errno != EINVAL) return false;
  const Guard guard;
  const int fd = real::open(g_path->c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  const off_t offset = (&entry - g_map) * static_cast<off_t>(sizeof entry);
  const bool reserved =
      fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, sizeof entry) == 0 || errno == EOPNOTSUPP;
  (void)real::close(fd);
  return reserved;
}

Entry* Map() {
  const int saved_errno = errno;
  pthread_once(&g_once, &MapOnce);
  errno = saved_errno;
  return g_map;
}

uint32_t Hash(std::string_view name) {  // FNV-1a
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

// Is the entry this name's, or did it become so just now?
bool ClaimOrMatch(Entry& entry, std::string_view name) {
  uint32_t state = Entry::kFree;
  if (entry.state.compare_exchange_strong(state, Entry::kWriting)) {
    entry.length = static_cast<uint32_t>(name.size());
    memcpy(entry.name, name.data(), name.size());
    entry.state.store(Entry::kReady, std::memory_order_release);
    return true;
  }
  // A writer is a few instructions away from kReady, unless it was killed there: then the entry is
  // lost.
  for (int spin = 0; state == Entry::kWriting && spin < 1000; ++spin) {
    sched_yield();
    state = entry.state.load(std::memory_order_acquire);
  }
  return state == Entry::kReady && entry.length <= kMaxNameLength && entry.text() == name;
}

std::optional<uint32_t> IndexOf(const Address& address) {
  const uint8_t* octets = address.ip.data();
  if (address.type == AddressType::kIpv6) {
    if (memcmp(octets, kIpv6Prefix, sizeof kIpv6Prefix) != 0) return std::nullopt;
    octets += sizeof kIpv6Prefix;
  } else if (address.type != AddressType::kIpv4) {
    return std::nullopt;
  }
  uint32_t value = static_cast<uint32_t>(octets[0]) << 24 | static_cast<uint32_t>(octets[1]) << 16 |
                   static_cast<uint32_t>(octets[2]) << 8 | octets[3];
  if ((value & ~(kCapacity - 1)) != kNetwork) return std::nullopt;
  return value - kNetwork;
}

}  // namespace

std::optional<Address> NameMap::AddressFor(std::string_view text, AddressType type) {
  Entry* map = Map();
  if (map == nullptr || text.empty() || text.size() > kMaxNameLength) return std::nullopt;
  const std::string name = LowerCase(text);
  const uint32_t start = Hash(name);
  for (uint32_t i = 0; i < kCapacity; ++i) {
    const uint32_t index = (start + i) % kCapacity;
    const uint8_t last = static_cast<uint8_t>(index);
    if (last == 0 || last == 255) continue;  // some programs take them for broadcast addresses
    if (map[index].state.load(std::memory_order_acquire) == Entry::kFree && !Reserve(map[index])) {
      return std::nullopt;
    }
    if (!ClaimOrMatch(map[index], name)) continue;
    const uint32_t value = kNetwork + index;
    std::array<uint8_t, 16> ip = {};
    uint8_t* octets = ip.data();
    if (type == AddressType::kIpv6) {
      memcpy(octets, kIpv6Prefix, sizeof kIpv6Prefix);
      octets += sizeof kIpv6Prefix;
    }
    for (int shift = 24; shift >= 0; shift -= 8) *octets++ = static_cast<uint8_t>(value >> shift);
    if (type == AddressType::kIpv6) return Address::Ipv6(ip, 0);
    return Address::Ipv4({ip[0], ip[1], ip[2], ip[3]}, 0);
  }
  return std::nullopt;
}

bool NameMap::IsInRange(const Address& address) { return IndexOf(address).has_value(); }

std::optional<std::string> NameMap::NameOf(const Address& address) {
  auto index = IndexOf(address);
  Entry* map = index ? Map() : nullptr;
  if (map == nullptr) return std::nullopt;
  const Entry& entry = map[*index];
  if (entry.state.load(std::memory_order_acquire) != Entry::kReady ||
      entry.length > kMaxNameLength) {
    return std::nullopt;
  }
  return std::string(entry.text());
}

}  // namespace socksify
