#include "shim/process.h"

#include <fcntl.h>
#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/runtime.h"
#include "shim/service.h"

namespace socksify {
namespace {

pid_t g_pid = 0;

void BeforeFork() {
  Registrations::BeforeFork();
  Connection::BeforeFork();
  Service::BeforeFork();
}

void AfterForkInParent() {
  Service::AfterFork(false);
  Connection::AfterFork(false);
  Registrations::AfterFork(false);
}

void AfterForkInChild() {
  g_pid = getpid();
  Service::AfterFork(true);
  Connection::AfterFork(true);
  Registrations::AfterFork(true);
  OwnDescriptor::CloseAllButLog(Runtime::log_fd());
}

}  // namespace

int RememberedPid() { return g_pid; }

void PrepareForForks() {
  g_pid = getpid();
  (void)at_quick_exit(&Service::LeaveTails);
  pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);
}

ExecFence::ExecFence() {
  const int saved_errno = errno;
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark) {
    ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection || !connection->carries_session()) return;
    const int flags = real::fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) return;
    (void)real::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    if (count_ < kMax) fds_[count_++] = fd;
  });
  errno = saved_errno;
}

ExecFence::~ExecFence() {
  const int saved_errno = errno;
  for (int i = 0; i < count_; ++i) {
    const int flags = real::fcntl(fds_[i], F_GETFD);
    if (flags >= 0) (void)real::fcntl(fds_[i], F_SETFD, flags & ~FD_CLOEXEC);
  }
  errno = saved_errno;
}

}  // namespace socksify
