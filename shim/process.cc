#include "shim/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>

#include "shim/agent_process.h"
#include "shim/associations.h"
#include "shim/blocking_work.h"
#include "shim/connection.h"
#include "shim/dns_stub.h"
#include "shim/home.h"
#include "shim/library_call.h"
#include "shim/listeners.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/registrations.h"
#include "shim/relay_process.h"
#include "shim/runtime.h"
#include "shim/service.h"
#include "shim/signals.h"

namespace socksify {
namespace {

std::atomic<pid_t> g_pid{0};         // whose memory this is; a child of vfork sees its parent's
uint8_t* g_wiped_by_fork = nullptr;  // 1 in a page that is zero again in a forked child

// No signal handler runs in a thread from BeforeFork on until it has forked: fork(2) lets those in
// that are due, and one that uses a connection would wait for a lock of its own thread. Each thread
// has its own, for several may wait in BeforeFork at once.
alignas(SignalsBlocked) thread_local constinit unsigned char t_signals[sizeof(SignalsBlocked)] = {};

void LetSignalsIn() {
  std::launder(reinterpret_cast<SignalsBlocked*>(t_signals))->~SignalsBlocked();
}

void BeforeFork() {
  new (t_signals) SignalsBlocked;
  (void)Connection::Ended();  // a child could not wait for the thread that is just making it
  Home::Open();
  BlockingWork::Quiesce(BlockingWork::Before::kFork);
  Registrations::BeforeFork();
  Connection::BeforeFork();
  Service::BeforeFork();
  BlockingWork::BeforeFork();
  DnsStub::BeforeFork();
  Associations::BeforeFork();
  Listeners::BeforeFork();
  leaf_mutex.Lock();
  LibraryCall::BeforeFork();
}

void AfterForkInParent() {
  LibraryCall::AfterFork(false);
  leaf_mutex.Unlock();
  Listeners::AfterFork(false);
  Associations::AfterFork(false);
  DnsStub::AfterFork(false);
  BlockingWork::AfterFork(false);
  Service::AfterFork(false);
  Connection::AfterFork(false, true, -1);
  Registrations::AfterFork(false);
  BlockingWork::Resume();
  LetSignalsIn();
}

bool IsChildsToo(int fd) {
  return fd == Runtime::log_fd() || Connection::IsDoor(fd) || AgentProcess::IsControl(fd) ||
         AgentChannel::Is(fd);
}

// `counted`: by fork(3), whose handlers have run before it.
void AfterForkInChild(bool counted) {
  g_pid = getpid();
  if (g_wiped_by_fork != nullptr) *g_wiped_by_fork = 1;
  LibraryCall::AfterFork(true);
  leaf_mutex.Reinitialise();
  Listeners::AfterFork(true);
  Associations::AfterFork(true);
  DnsStub::AfterFork(true);
  Service::AfterFork(true);
  BlockingWork::AfterFork(true);
  Home::AfterForkInChild();
  Connection::AfterFork(true, counted, Home::Leave());
  Registrations::AfterFork(true);
  RelayProcess::Forget();
  AgentProcess::AfterForkInChild();
  OwnDescriptor::CloseAllBut(&IsChildsToo);
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
  pthread_atfork(&BeforeFork, &AfterForkInParent, [] {
    AfterForkInChild(true);
    LetSignalsIn();
  });
}

bool PreparedForForks() { return g_pid.load(std::memory_order_relaxed) != 0; }

bool InVforkChild() {
  const pid_t owner = g_pid.load(std::memory_order_relaxed);
  if (owner == 0 || owner == getpid()) return false;
  if (g_wiped_by_fork == nullptr || *g_wiped_by_fork != 0) return true;
  AfterForkInChild(false);  // by clone(2) itself, perhaps: no handler has run
  return false;
}

void BeforeAnyFork() { Home::Open(); }

}  // namespace socksify
