// The environment of a program that is executed: what the caller gives it and, in front of its
// LD_PRELOAD, this library, with the settings of the run where it has none of its own. Under
// --no-children, for another process than the command's, neither.
//
// No allocation: it may be vfork's child that executes, and what it would allocate would be its
// parent's for ever.
#ifndef SHIM_CHILD_ENVIRONMENT_H_
#define SHIM_CHILD_ENVIRONMENT_H_

#include <alloca.h>

#include <cstddef>

namespace socksify {

class ChildEnvironment {
 public:
  enum class For : unsigned char { kThisProcess, kNewProcess };

  // Finds out how it differs from `given`, which may be null.
  ChildEnvironment(char* const given[], For process);

  // Does --no-children keep what this process executes, or its new process, out of the run?
  static bool IsLeftAlone(For process);

  // It is complete as it is.
  bool complete() const { return complete_; }
  // Octets for Build.
  size_t size() const { return slots_ * sizeof(char*) + text_size_; }
  // Makes it in `memory`, aligned as a pointer; strings of `given` are shared.
  char** Build(void* memory) const;

  // Takes everything of the run out of an environment, in place.
  static void Strip(char** environment);

  // The process's own, for what libc executes by itself (system, popen): puts in what is missing.
  static void CompleteOwn();

 private:
  char* const* const given_;
  const bool stripped_;
  const char* preload_ = nullptr;   // the value that ld.so would take
  unsigned long long missing_ = 0;  // bits: entries of the run that `given` has not
  size_t slots_ = 0;
  size_t text_size_ = 0;
  bool complete_ = false;
};

// Calls `execute` with the environment that a program is to get for `given`. The memory is the
// caller's stack, as glibc does with arguments.
template <typename Execute>
__attribute__((always_inline)) inline int WithChildEnvironment(char* const given[],
                                                               ChildEnvironment::For process,
                                                               Execute execute) {
  const ChildEnvironment environment(given, process);
  if (environment.complete()) return execute(given);
  return execute(environment.Build(alloca(environment.size())));
}

}  // namespace socksify

#endif  // SHIM_CHILD_ENVIRONMENT_H_
