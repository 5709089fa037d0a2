#include "shim/relay_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/run_environment.h"
#include "shim/runtime.h"
#include "shim/signals.h"

namespace socksify {
namespace {

constexpr char kRelayFile[] = "socksify-gss-relay";

Mutex g_starting;                // one thread starts it; held while that takes
std::atomic<int> g_control{-1};  // to the relay

// What it needs of the environment: where Kerberos is configured. Not LD_PRELOAD.
std::vector<std::string> RelayEnvironment() {
  std::vector<std::string> kept;
  for (const char* name : {"KRB5_CONFIG", "LD_LIBRARY_PATH"}) {
    const char* value = getenv(name);
    if (value == nullptr) value = RunEnvironment::Get(name);  // cleared by the program
    if (value != nullptr) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Command {
  const char* path;
  char* const* argv;
  char* const* environment;
};

// These two run in new processes, which have a copy of the application's memory but none of its
// other threads: nothing here allocates or locks.

[[noreturn]] void Execute(int control, const Command& command) {
  // `control` is a high number, so none of these three is it.
  const int null = static_cast<int>(real::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0));
  (void)real::syscall(SYS_dup3, control, STDIN_FILENO, 0);
  if (null != STDOUT_FILENO) (void)real::syscall(SYS_dup3, null, STDOUT_FILENO, 0);
  if (null != STDERR_FILENO) (void)real::syscall(SYS_dup3, null, STDERR_FILENO, 0);
  (void)real::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  (void)real::syscall(SYS_execve, command.path, command.argv, command.environment);
  (void)real::syscall(SYS_exit_group, 1);
  __builtin_unreachable();
}

// Starts the program, which leaves a process of its own behind and ends; says so with an octet.
// Ends then, unless it is to `adopt` what is left behind: it waits for that.
[[noreturn]] void StartAndTell(int control, const Command& command, bool adopt) {
  if (adopt) (void)real::syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
  const long child = real::syscall(SYS_fork);
  if (child == 0) Execute(control, command);
  int status = -1;
  (void)real::syscall(SYS_wait4, child, &status, 0, nullptr);
  if (status == 0) {
    (void)real::syscall(SYS_sendto, control, "", 1L, static_cast<long>(MSG_NOSIGNAL), 0L, 0L);
  }
  if (adopt && status == 0) {
    (void)real::syscall(SYS_setsid);
    (void)real::syscall(SYS_close_range, 0, ~0U, 0);
    while (real::syscall(SYS_wait4, -1, nullptr, 0, nullptr) > 0 || errno == EINTR) {
    }
  }
  (void)real::syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

// Orphans of the process namespace, or of its descendants, become this process's children.
bool AdoptsOrphans() {
  int adopts = 0;
  return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && adopts != 0);
}

// A process that sends no signal when it ends is not the application's to wait for; it starts the
// program, which then is nobody's child, or its own where it would become the application's.
bool Run(int control, const std::string& path) {
  std::vector<std::string> arguments = {kRelayFile, SOCKSIFY_VERSION};
  std::vector<std::string> environment = RelayEnvironment();
  std::vector<char*> argv = Pointers(arguments), env = Pointers(environment);
  const Command command = {path.c_str(), argv.data(), env.data()};
  const bool adopt = AdoptsOrphans();
  constexpr long kNoExitSignal = 0;
  const SignalsBlocked signals;  // no handler of the application runs in the new processes
  const long middle = real::syscall(SYS_clone, kNoExitSignal, 0L, 0L, 0L, 0L);
  if (middle < 0) return false;
  if (middle == 0) StartAndTell(control, command, adopt);
  if (adopt) return true;
  while (real::syscall(SYS_wait4, middle, nullptr, __WCLONE, nullptr) < 0 && errno == EINTR) {
  }
  return true;
}

// Waits until the relay is up. The other end must be nobody's but its.
bool AwaitStart(int control) {
  char octet;
  ssize_t came;
  do {
    came = real::recv(control, &octet, 1, 0);
  } while (came < 0 && errno == EINTR);
  if (came == 0) errno = ENOEXEC;
  return came == 1;
}

bool IsRunning(int control) {
  if (control < 0) return false;
  char octet;  // the relay says nothing: there is nothing to read, or the end
  return real::recv(control, &octet, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

}  // namespace

bool RelayProcess::Start() {
  if (IsRunning(g_control)) return true;
  const SignalsBlocked signals;
  MutexLock lock(g_starting);
  if (IsRunning(g_control)) return true;
  if (const int old = g_control.exchange(-1); old >= 0) OwnDescriptor::Close(old);
  int ends[2] = {-1, -1};
  const std::string path = Runtime::Directory() + kRelayFile;
  if (real::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    ReportOnce(std::string("no connection to a relay process: ") + strerror(errno));
    return false;
  }
  const int relays = OwnDescriptor::Adopt(ends[1]);
  const int ours = OwnDescriptor::Adopt(ends[0]);
  bool up = relays >= 0 && ours >= 0 && Run(relays, path);
  const int error = errno;
  if (relays >= 0) OwnDescriptor::Close(relays);
  errno = error;
  up = up && AwaitStart(ours);
  if (!up) ReportOnce("cannot start " + path + ": " + strerror(errno));
  if (up) {
    g_control = ours;
  } else if (ours >= 0) {
    OwnDescriptor::Close(ours);
  }
  return up;
}

bool RelayProcess::Take(int server, int stand_in, ByteView state) {
  const int memory = memfd_create("session", MFD_CLOEXEC);
  if (memory < 0) return false;
  size_t written = 0;
  while (written < state.size()) {
    const ssize_t part = real::write(memory, state.data() + written, state.size() - written);
    if (part < 0) break;
    written += static_cast<size_t>(part);
  }
  const int descriptors[] = {server, stand_in, memory};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {};
  char octet = 0;
  iovec vector = {&octet, 1};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof descriptors);
  memcpy(CMSG_DATA(rights), descriptors, sizeof descriptors);
  const bool sent =
      written == state.size() && real::sendmsg(g_control.load(), &message, MSG_NOSIGNAL) == 1;
  const int error = errno;
  (void)real::close(memory);
  errno = error;
  return sent;
}

void RelayProcess::Forget() {
  g_control = -1;  // closed with the other descriptors of the shim's own
  g_starting.Reinitialise();
}

}  // namespace socksify
