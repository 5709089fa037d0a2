// How the programs begin that the preloaded library starts beside an application.
#ifndef TOOLS_HELPER_START_H_
#define TOOLS_HELPER_START_H_

namespace socksify {

inline constexpr int kControlSocket = 0;  // the library's, as standard input

// Makes this process a helper: nobody's child, in a session of its own, without the application's
// descriptors above standard error, limits, signals, and directory. What was started exits in it,
// which says that the helper is up. Returns 0 in the process that is to go on, or the exit status
// of one that was not started by its own library, with the library's version as only argument.
//
// `name` and `when` are for whoever does that by hand: "..., which starts it by itself when ...".
int BecomeHelper(int argc, char** argv, const char* name, const char* when);

}  // namespace socksify

#endif  // TOOLS_HELPER_START_H_
