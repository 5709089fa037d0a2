#include "shim/run_environment.h"

#include <link.h>
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

// Every program that is executed pays for this: mapping memory costs it three times as much as
// touching a page of what it has. A longer environment is mapped.
alignas(Snapshot) char g_room[4096];
std::atomic<bool> g_room_taken{false};

std::atomic<const Snapshot*> g_snapshot{nullptr};

void* MemoryFor(size_t size) {
  if (size <= sizeof g_room && !g_room_taken.exchange(true)) return g_room;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED ? memory : nullptr;
}

// As ld.so has it; dladdr would search the symbols.
const char* NameOfLibrary() {
  for (const link_map* at = _r_debug.r_map; at != nullptr; at = at->l_next) {
    if (at->l_ld == _DYNAMIC) return at->l_name;
  }
  return "";
}

// A variable of the run: what follows the prefix, which a borrowed one gets.
struct Variable {
  const char* text;
  size_t name_length;
  size_t length;
};

class Variables {
 public:
  // Borrowed variables come last: the program's own, where it has one, counts.
  explicit Variables(char* const environment[]) {
    if (environment == nullptr) return;
    for (char* const* at = environment; *at != nullptr; ++at) {
      if (**at == *RunEnvironment::kPrefix &&
          strncmp(*at, RunEnvironment::kPrefix, kPrefixLength) == 0) {
        Add(*at + kPrefixLength);
      }
    }
    for (char* const* at = environment; *at != nullptr; ++at) {
      if (IsBorrowed(*at)) Add(*at);
    }
  }

  const Variable* begin() const { return variables_; }
  const Variable* end() const { return variables_ + count_; }

 private:
  static bool IsBorrowed(const char* entry) {
    for (const char* name : RunEnvironment::kBorrowed) {
      if (*entry != *name) continue;
      const size_t length = strlen(name);
      if (strncmp(entry, name, length) == 0 && entry[length] == '=') return true;
    }
    return false;
  }

  // In the place of one of the same name.
  void Add(const char* text) {
    const Variable added = {text, static_cast<size_t>(strchrnul(text, '=') - text), strlen(text)};
    size_t n = 0;
    while (n < count_ && (variables_[n].name_length != added.name_length ||
                          strncmp(variables_[n].text, text, added.name_length) != 0)) {
      ++n;
    }
    if (n == RunEnvironment::kMaxEntries) return;
    variables_[n] = added;
    if (n == count_) ++count_;
  }

  size_t count_ = 0;
  Variable variables_[RunEnvironment::kMaxEntries];
};

const Snapshot* Take() {
  const Variables variables(environ);
  const char* const library = NameOfLibrary();
  size_t size = sizeof(Snapshot) + strlen(library) + 1;
  for (const Variable& variable : variables) size += kPrefixLength + variable.length + 1;
  auto* snapshot = static_cast<Snapshot*>(MemoryFor(size));
  if (snapshot == nullptr) return nullptr;
  char* text = reinterpret_cast<char*>(snapshot + 1);
  snapshot->library = text;
  text = stpcpy(text, library) + 1;
  const char** entry = snapshot->entries;
  for (const Variable& variable : variables) {
    *entry++ = text;
    memcpy(text, RunEnvironment::kPrefix, kPrefixLength);
    memcpy(text + kPrefixLength, variable.text, variable.length + 1);
    text += kPrefixLength + variable.length + 1;
  }
  const Snapshot* first = nullptr;
  if (g_snapshot.compare_exchange_strong(first, snapshot)) return snapshot;
  if (static_cast<void*>(snapshot) != g_room) (void)munmap(snapshot, size);
  return first;
}

// Null when there is no memory: then nothing is executed either.
const Snapshot* Get() {
  const Snapshot* snapshot = g_snapshot.load(std::memory_order_acquire);
  if (snapshot != nullptr) return snapshot;
  const int saved_errno = errno;
  snapshot = Take();
  errno = saved_errno;
  return snapshot;
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
  for (size_t n = 0; const char* entry = Entry(n); ++n) {
    entry += skipped;
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') return entry + length + 1;
  }
  return nullptr;
}

const char* RunEnvironment::Entry(size_t n) {
  const Snapshot* snapshot = socksify::Get();
  return snapshot != nullptr ? snapshot->entries[n] : nullptr;
}

const char* RunEnvironment::library() {
  const Snapshot* snapshot = socksify::Get();
  return snapshot != nullptr ? snapshot->library : "";
}

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
