#include "shim/helper_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/report.h"
#include "shim/runtime.h"
#include "shim/signals.h"
#include "shim/unseen_process.h"

namespace socksify {
namespace {

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
  // The application may ignore it, and then there would be nothing to wait for.
  constexpr struct KernelAction { unsigned long handler, flags, restorer, mask; } kDefault = {};
  (void)real::syscall(SYS_rt_sigaction, SIGCHLD, &kDefault, nullptr, sizeof kDefault.mask);
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

// A process that the application does not see starts the program, which then is nobody's child, or
// that one's where it would become the application's.
bool Run(int control, const char* name, const std::string& path,
         std::vector<std::string> environment) {
  std::vector<std::string> arguments = {name, SOCKSIFY_VERSION};
  std::vector<char*> argv = Pointers(arguments), env = Pointers(environment);
  const Command command = {path.c_str(), argv.data(), env.data()};
  const bool adopt = AdoptsOrphans();
  const SignalsBlocked signals;  // no handler of the application runs in the new processes
  const long middle = ForkUnseen();
  if (middle < 0) return false;
  if (middle == 0) StartAndTell(control, command, adopt);
  if (!adopt) AwaitUnseen(middle);
  return true;
}

// Waits until it is up. The other end must be nobody's but its.
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
  char octet;  // it says nothing there: there is nothing to read, or the end
  return real::recv(control, &octet, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

}  // namespace

bool HelperProcess::Start() {
  if (IsRunning(control_)) return true;
  const SignalsBlocked signals;
  MutexLock lock(starting_);
  if (IsRunning(control_)) return true;
  if (const int old = control_.exchange(-1); old >= 0) OwnDescriptor::Close(old);
  int ends[2] = {-1, -1};
  const std::string path = Runtime::Directory() + file_;
  if (real::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    ReportOnce("no connection to " + path + ": " + strerror(errno));
    return false;
  }
  const int its = OwnDescriptor::Adopt(ends[1]);
  const int ours = OwnDescriptor::Adopt(ends[0]);
  bool up = its >= 0 && ours >= 0 && Run(its, file_, path, environment_());
  const int error = errno;
  if (its >= 0) OwnDescriptor::Close(its);
  errno = error;
  up = up && AwaitStart(ours);
  if (!up) ReportOnce("cannot start " + path + ": " + strerror(errno));
  if (up) {
    control_ = ours;
  } else if (ours >= 0) {
    OwnDescriptor::Close(ours);
  }
  return up;
}

void HelperProcess::Forget() {
  control_ = -1;
  starting_.Reinitialise();
}

bool SendWithDescriptors(int socket, ByteView octets, std::initializer_list<int> descriptors) {
  constexpr size_t kMost = 3;
  alignas(cmsghdr) char control[CMSG_SPACE(kMost * sizeof(int))] = {};
  const size_t size = descriptors.size() * sizeof(int);
  iovec vector = {const_cast<uint8_t*>(octets.data()), octets.size()};
  msghdr message = {};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(rights), descriptors.begin(), size);
  return real::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size());
}

}  // namespace socksify
