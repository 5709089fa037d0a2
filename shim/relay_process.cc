#include "shim/relay_process.h"

#include <signal.h>
#include <sys/mman.h>
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
    if (value != nullptr) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the new process, whose other threads are gone: nothing here allocates or locks.
[[noreturn]] void Execute(int control, const char* path, char* const argv[], char* const env[]) {
  // `control` is a high number, so none of these three is it.
  const int null = static_cast<int>(real::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0));
  (void)real::syscall(SYS_dup3, control, STDIN_FILENO, 0);
  if (null != STDOUT_FILENO) (void)real::syscall(SYS_dup3, null, STDOUT_FILENO, 0);
  if (null != STDERR_FILENO) (void)real::syscall(SYS_dup3, null, STDERR_FILENO, 0);
  (void)real::syscall(SYS_close_range, 3, ~0U, 0);
  (void)real::syscall(SYS_execve, path, argv, env);
  (void)real::syscall(SYS_exit_group, 1);
  __builtin_unreachable();
}

// Runs the program, which leaves a process of its own behind and ends. A process that sends no
// signal when it ends is not the application's to wait for.
bool Run(int control, const std::string& path) {
  std::vector<std::string> arguments = {kRelayFile, SOCKSIFY_VERSION};
  std::vector<std::string> environment = RelayEnvironment();
  std::vector<char*> argv = Pointers(arguments), env = Pointers(environment);
  constexpr long kNoExitSignal = 0;
  const SignalsBlocked signals;  // no handler of the application runs in the new process
  const long middle = real::syscall(SYS_clone, kNoExitSignal, 0L, 0L, 0L, 0L);
  if (middle < 0) return false;
  if (middle == 0) Execute(control, path.c_str(), argv.data(), env.data());
  int status = -1;
  long waited;
  do {
    waited = real::syscall(SYS_wait4, middle, &status, __WCLONE, nullptr);
  } while (waited < 0 && errno == EINTR);
  errno = ENOEXEC;
  return waited == middle && WIFEXITED(status) && WEXITSTATUS(status) == 0;
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
  const bool up = relays >= 0 && ours >= 0 && Run(relays, path);
  if (!up) ReportOnce("cannot start " + path + ": " + strerror(errno));
  if (relays >= 0) OwnDescriptor::Close(relays);
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
