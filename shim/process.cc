#include "shim/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "lib/base/log.h"
#include "shim/connection.h"
#include "shim/descriptor_table.h"
#include "shim/dns_stub.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/registrations.h"
#include "shim/runtime.h"
#include "shim/service.h"

namespace socksify {
namespace {

std::atomic<pid_t> g_pid{0};         // whose memory this is; a child of vfork sees its parent's
uint8_t* g_wiped_by_fork = nullptr;  // 1 in a page that is zero again in a forked child

void BeforeFork() {
  Service::Quiesce();
  Registrations::BeforeFork();
  Connection::BeforeFork();
  Service::BeforeFork();
  DnsStub::BeforeFork();
  leaf_mutex.Lock();
}

void AfterForkInParent() {
  leaf_mutex.Unlock();
  DnsStub::AfterFork(false);
  Service::AfterFork(false);
  Connection::AfterFork(false);
  Registrations::AfterFork(false);
  Service::Resume();
}

void AfterForkInChild() {
  g_pid = getpid();
  if (g_wiped_by_fork != nullptr) *g_wiped_by_fork = 1;
  leaf_mutex.Reinitialise();
  DnsStub::AfterFork(true);
  Service::AfterFork(true);
  Connection::AfterFork(true);
  Registrations::AfterFork(true);
  OwnDescriptor::CloseAllButLog(Runtime::log_fd());
}

// The program that is executed will miss it. No allocation: it may be vfork's child that calls.
void TellOfClosedStandardStream() {
  static std::atomic<bool> told{false};
  if (told.exchange(true)) return;
  Log::Warn(
      "a program was executed with a wrapped connection as its standard input or output, which "
      "this version cannot hand over: it finds the descriptor closed");
}

}  // namespace

void PrepareForForks() {
  pid_t nobody = 0;
  if (g_pid.load(std::memory_order_relaxed) != 0 ||
      !g_pid.compare_exchange_strong(nobody, getpid()))
    return;
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED && madvise(page, 4096, MADV_WIPEONFORK) == 0) {
    g_wiped_by_fork = static_cast<uint8_t*>(page);
    *g_wiped_by_fork = 1;
  }
  (void)at_quick_exit(&Service::LeaveTails);
  pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);
}

bool InVforkChild() {
  const pid_t owner = g_pid.load(std::memory_order_relaxed);
  if (owner == 0 || owner == getpid()) return false;
  if (g_wiped_by_fork == nullptr || *g_wiped_by_fork != 0) return true;
  AfterForkInChild();  // by clone(2) itself, perhaps: no handler has run
  return false;
}

namespace {

// Fences of several threads overlap: the last to go gives the flags back. Guarded by leaf_mutex.
int g_fences = 0;
std::vector<int>& FencedDescriptors() {
  static auto* const fds = new std::vector<int>();
  return *fds;
}

}  // namespace

ExecFence::ExecFence() : counted_(!InVforkChild()) {
  const int saved_errno = errno;
  if (counted_) {
    leaf_mutex.Lock();
    ++g_fences;
    leaf_mutex.Unlock();
  }
  DescriptorTable::ForEach(0, UINT32_MAX, [&](int fd, DescriptorTable::Mark) {
    ConnectionRef connection = DescriptorTable::Find(fd);
    if (!connection || !connection->carries_session()) return;
    const int flags = real::fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) return;
    (void)real::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    if (fd <= STDERR_FILENO) TellOfClosedStandardStream();
    if (!counted_) return;  // vfork's child: no allocation, and it ends if it does not execute
    MutexLock lock(leaf_mutex);
    FencedDescriptors().push_back(fd);
  });
  errno = saved_errno;
}

ExecFence::~ExecFence() {
  if (!counted_) return;
  const int saved_errno = errno;
  MutexLock lock(leaf_mutex);
  if (--g_fences != 0) return;
  for (int fd : FencedDescriptors()) {
    const int flags = real::fcntl(fd, F_GETFD);
    if (flags >= 0) (void)real::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
  }
  FencedDescriptors().clear();
  errno = saved_errno;
}

}  // namespace socksify
