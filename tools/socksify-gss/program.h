// The command before it is run: where it is, and whether the preloaded shim would come along.
#ifndef TOOLS_SOCKSIFY_GSS_PROGRAM_H_
#define TOOLS_SOCKSIFY_GSS_PROGRAM_H_

#include <string>

namespace socksify {

// What came of a look at a command. `exit_status` is 0, or what to exit with after saying
// `message`.
struct Finding {
  int exit_status = 0;
  std::string message;
};

inline constexpr int kExitOwnFailure = 125;
inline constexpr int kExitCannotRun = 126;
inline constexpr int kExitNotFound = 127;

// Looks `command` up as execvp does and sets `path`. 127 when there is none, 126 when there is one
// that must not be executed.
Finding FindProgram(const std::string& command, std::string* path);

// Refuses (126) what would run without the preloaded library (lib/io/executable.h).
Finding InspectProgram(const std::string& path);

}  // namespace socksify

#endif  // TOOLS_SOCKSIFY_GSS_PROGRAM_H_
