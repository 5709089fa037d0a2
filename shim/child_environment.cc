#include "shim/child_environment.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "shim/run_environment.h"

namespace socksify {
namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr size_t kPreloadLength = sizeof kPreload - 1;
constexpr char kSeparators[] = ": ";  // ld.so takes both

bool IsPreload(const char* entry) { return strncmp(entry, kPreload, kPreloadLength) == 0; }

// Is `entry` ("NAME=...") the variable of the n-th entry of the run, under either of its names?
bool IsSameVariable(const char* entry, const char* of_run) {
  const auto length = static_cast<size_t>(strchrnul(of_run, '=') - of_run) + 1;
  if (strncmp(entry, of_run, length) == 0) return true;
  constexpr size_t kSkipped = sizeof RunEnvironment::kPrefix - 1;
  for (const char* name : RunEnvironment::kBorrowed) {
    const size_t size = strlen(name);
    if (size + kSkipped + 1 == length && strncmp(of_run + kSkipped, name, size) == 0) {
      return strncmp(entry, of_run + kSkipped, size + 1) == 0;
    }
  }
  return false;
}

bool StartsWithLibrary(const char* list) {
  const char* library = RunEnvironment::library();
  const size_t length = strlen(library);
  return strncmp(list, library, length) == 0 && strchr(kSeparators, list[length]) != nullptr;
}

// Takes this library out of the list. False when nothing is left.
bool RemoveLibrary(char* list) {
  char* to = list;
  for (const char* from = list; *from != '\0';) {
    const size_t length = strcspn(from, kSeparators);
    if (length != 0 && !StartsWithLibrary(from)) {
      if (to != list) *to++ = ':';
      memmove(to, from, length);
      to += length;
    }
    from += length + (from[length] != '\0');
  }
  *to = '\0';
  return to != list;
}

}  // namespace

bool ChildEnvironment::IsLeftAlone(For process) {
  return RunEnvironment::no_children() &&
         (process == For::kNewProcess || !RunEnvironment::InCommand());
}

ChildEnvironment::ChildEnvironment(char* const given[], For process)
    : given_(given), stripped_(IsLeftAlone(process)) {
  size_t count = 0;
  while (!stripped_ && RunEnvironment::Entry(count) != nullptr) missing_ |= 1ull << count++;
  size_t variables = 0;
  for (char* const* at = given; at != nullptr && *at != nullptr; ++at, ++variables) {
    if (IsPreload(*at)) preload_ = *at + kPreloadLength;
    // Few variables begin as those of the run do.
    if (strchr("SKX", **at) == nullptr) continue;
    for (size_t n = 0; n < count; ++n) {
      if (IsSameVariable(*at, RunEnvironment::Entry(n))) missing_ &= ~(1ull << n);
    }
  }
  const bool preloaded = preload_ != nullptr && StartsWithLibrary(preload_);
  complete_ = preloaded && missing_ == 0 && !stripped_;
  slots_ = variables + count + 2;
  text_size_ = kPreloadLength + strlen(RunEnvironment::library()) + 1 +
               (preload_ != nullptr ? strlen(preload_) : 0) + 1;
}

char** ChildEnvironment::Build(void* memory) const {
  char** const environment = static_cast<char**>(memory);
  char* const preload = reinterpret_cast<char*>(environment + slots_);
  char* text = stpcpy(preload, kPreload);
  if (!stripped_ && (preload_ == nullptr || !StartsWithLibrary(preload_))) {
    text = stpcpy(text, RunEnvironment::library());
    if (preload_ != nullptr && *preload_ != '\0') *text++ = ':';
  }
  stpcpy(text, preload_ != nullptr ? preload_ : "");
  char** to = environment;
  *to++ = preload;
  for (char* const* at = given_; at != nullptr && *at != nullptr; ++at) {
    if (!IsPreload(*at)) *to++ = *at;
  }
  for (size_t n = 0; const char* entry = RunEnvironment::Entry(n); ++n) {
    if ((missing_ >> n & 1) != 0) *to++ = const_cast<char*>(entry);
  }
  *to = nullptr;
  if (stripped_) Strip(environment);  // of LD_PRELOAD it has a copy
  return environment;
}

void ChildEnvironment::Strip(char** environment) {
  char** to = environment;
  for (char** at = environment; *at != nullptr; ++at) {
    bool ours = strncmp(*at, RunEnvironment::kPrefix, sizeof RunEnvironment::kPrefix - 1) == 0;
    if (IsPreload(*at)) ours = !RemoveLibrary(*at + kPreloadLength);
    if (!ours) *to++ = *at;
  }
  *to = nullptr;
}

void ChildEnvironment::CompleteOwn() {
  // Under --no-children the new process strips its own (run_environment.cc).
  const ChildEnvironment own(environ, For::kThisProcess);
  if (own.complete() || own.stripped_) return;
  // Never unmapped: another thread may be reading it. Needed once for each time that the program
  // has cleared its environment.
  void* memory =
      mmap(nullptr, own.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) environ = own.Build(memory);
}

}  // namespace socksify
