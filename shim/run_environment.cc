#include "shim/run_environment.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "shim/child_environment.h"

namespace socksify {
namespace {

constexpr size_t kPrefixLength = sizeof RunEnvironment::kPrefix - 1;

struct Snapshot {  // and the text behind it
  const char* entries[RunEnvironment::kMaxEntries + 1];
  const char* library;
};
std::atomic<const Snapshot*> g_snapshot{nullptr};

const char* NameOfLibrary() {
  Dl_info self;
  const bool known = dladdr(reinterpret_cast<void*>(&NameOfLibrary), &self) != 0;
  return known && self.dli_fname != nullptr ? self.dli_fname : "";
}

// Where the name of the snapshot's entry begins, if `entry` of an environment belongs into it: with
// the prefix that a borrowed variable gets. Null when it is the program's own.
const char* PrefixFor(const char* entry) {
  if (strncmp(entry, RunEnvironment::kPrefix, kPrefixLength) == 0) return "";
  for (const char* name : RunEnvironment::kBorrowed) {
    const size_t length = strlen(name);
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') return RunEnvironment::kPrefix;
  }
  return nullptr;
}

// Takes borrowed variables after all others: the program's own, where it has one, counts.
template <typename Visitor>
void ForEachEntry(Visitor visit) {
  if (environ == nullptr) return;
  for (char** at = environ; *at != nullptr; ++at) {
    const char* prefix = PrefixFor(*at);
    if (prefix != nullptr && *prefix == '\0') visit(*at, prefix);
  }
  for (char** at = environ; *at != nullptr; ++at) {
    const char* prefix = PrefixFor(*at);
    if (prefix != nullptr && *prefix != '\0') visit(*at, prefix);
  }
}

size_t FindByName(const char* const* entries, size_t count, const char* entry) {
  const size_t length = static_cast<size_t>(strchrnul(entry, '=') - entry) + 1;
  size_t n = 0;
  while (n < count && strncmp(entries[n], entry, length) != 0) ++n;
  return n;
}

const Snapshot* Take() {
  const char* const library = NameOfLibrary();
  size_t size = sizeof(Snapshot) + strlen(library) + 1;
  ForEachEntry(
      [&](const char* entry, const char* prefix) { size += strlen(prefix) + strlen(entry) + 1; });
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* snapshot = static_cast<Snapshot*>(memory);
  char* text = reinterpret_cast<char*>(snapshot + 1);
  size_t count = 0;
  snapshot->library = text;
  text = stpcpy(text, library) + 1;
  ForEachEntry([&](const char* entry, const char* prefix) {
    char* const copy = text;
    text = stpcpy(stpcpy(text, prefix), entry) + 1;
    const size_t n = FindByName(snapshot->entries, count, copy);
    if (n == RunEnvironment::kMaxEntries) return;
    snapshot->entries[n] = copy;
    if (n == count) ++count;
  });
  (void)mprotect(memory, size, PROT_READ);
  const Snapshot* first = nullptr;
  if (g_snapshot.compare_exchange_strong(first, snapshot)) return snapshot;
  (void)munmap(memory, size);
  return first;
}

const Snapshot& Get() {
  static constexpr Snapshot kNone = {{}, ""};  // no memory: then nothing is executed either
  const Snapshot* snapshot = g_snapshot.load(std::memory_order_acquire);
  if (snapshot != nullptr) return *snapshot;
  const int saved_errno = errno;
  snapshot = Take();
  errno = saved_errno;
  return snapshot != nullptr ? *snapshot : kNone;
}

// libc itself starts programs with the environment as it is (system, popen): one of them that was
// not to be wrapped takes the run out of it before its own children see it.
__attribute__((constructor)) void ReadEnvironment() {
  (void)Get();
  if (RunEnvironment::no_children() && !RunEnvironment::InCommand() && environ != nullptr) {
    ChildEnvironment::Strip(environ);
  }
}

}  // namespace

const char* RunEnvironment::Get(const char* name) {
  const size_t skipped = strncmp(name, kPrefix, kPrefixLength) == 0 ? 0 : kPrefixLength;
  const size_t length = strlen(name);
  for (const char* const* at = socksify::Get().entries; *at != nullptr; ++at) {
    const char* entry = *at + skipped;
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') return entry + length + 1;
  }
  return nullptr;
}

const char* RunEnvironment::Entry(size_t n) { return socksify::Get().entries[n]; }

const char* RunEnvironment::library() { return socksify::Get().library; }

bool RunEnvironment::no_children() {
  const char* flag = Get("SOCKSIFY_NO_CHILDREN");
  return flag != nullptr && strcmp(flag, "1") == 0;
}

bool RunEnvironment::InCommand() {
  // The launcher's process becomes the command's, and its number is in the name of the run.
  const char* run = Get("SOCKSIFY_RUN");
  return run == nullptr || strtol(run, nullptr, 10) == getpid();
}

}  // namespace socksify
