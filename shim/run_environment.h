// What this run handed to the process in its environment, as it was when the process started. The
// program may clear or overwrite its environment; the settings of the run stay, and its children
// get them too (child_environment.h).
//
// Read once, before main or at the first question; no allocator is called. Any thread, fork's and
// vfork's children included.
#ifndef SHIM_RUN_ENVIRONMENT_H_
#define SHIM_RUN_ENVIRONMENT_H_

#include <cstddef>

namespace socksify {

class RunEnvironment {
 public:
  static constexpr size_t kMaxEntries = 64;
  // What the credentials are found by, and the names of the run. In a child that has not got them
  // they go by the names with kPrefix in front, so that it sees no more than it was given.
  static constexpr const char* kBorrowed[] = {"KRB5CCNAME", "KRB5_CONFIG", "KRB5_CLIENT_KTNAME",
                                              "XDG_RUNTIME_DIR"};
  static constexpr char kPrefix[] = "SOCKSIFY_";

  // The value of a SOCKSIFY_* or borrowed variable; null when there was none.
  static const char* Get(const char* name);

  // The n-th entry, "SOCKSIFY_NAME=value"; null behind the last.
  static const char* Entry(size_t n);

  // The path of this library, as LD_PRELOAD is to have it.
  static const char* library();

  // --no-children: what the command's own process executes is wrapped, other processes' programs
  // are not.
  static bool no_children();
  // Is this the process of the command itself? A child of vfork is not.
  static bool InCommand();
};

}  // namespace socksify

#endif  // SHIM_RUN_ENVIRONMENT_H_
