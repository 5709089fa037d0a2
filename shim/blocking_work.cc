#include "shim/blocking_work.h"

#include <pthread.h>

#include <cerrno>
#include <utility>

#include "shim/guard.h"
#include "shim/mutex.h"

namespace socksify {
namespace {

constexpr int kCloseMilliseconds = 300;
constexpr int kResolverMilliseconds = 1000;        // after so long it waits and holds no lock
constexpr int kForkPatienceMilliseconds = 10'000;  // for work that waits for nothing

// How many threads there are. Guarded by g_mutex.
unsigned g_working = 0;    // doing such work
unsigned g_parked = 0;     // those of them that wait where they hold no lock
unsigned g_resolving = 0;  // or resolve a name
unsigned g_quiescing = 0;  // callers of Quiesce

Mutex g_mutex;
pthread_cond_t g_changed = PTHREAD_COND_INITIALIZER;  // one of the numbers has
thread_local constinit bool t_working = false;        // this thread is one of those

void AwaitQuiet() {
  while (g_quiescing != 0) pthread_cond_wait(&g_changed, g_mutex.native());
}

}  // namespace

BlockingWork::BlockingWork() {
  MutexLock lock(g_mutex);
  AwaitQuiet();
  ++g_working;
  t_working = true;
}

BlockingWork::~BlockingWork() {
  MutexLock lock(g_mutex);
  if (!std::exchange(t_working, false)) return;  // forked meanwhile: it was the parent's
  --g_working;
  pthread_cond_broadcast(&g_changed);
}

void BlockingWork::Quiesce(Before what) {
  if (Guard::active()) return;
  MutexLock lock(g_mutex);
  ++g_quiescing;
  auto wait_while = [](int milliseconds, auto condition) {
    const timespec until = DeadlineIn(milliseconds);
    while (condition() && pthread_cond_timedwait(&g_changed, g_mutex.native(), &until) == 0) {
    }
  };
  if (what == Before::kClose) return wait_while(kCloseMilliseconds, [] { return g_working != 0; });
  wait_while(kResolverMilliseconds, [] { return g_working != g_parked; });
  wait_while(kForkPatienceMilliseconds, [] { return g_working > g_parked + g_resolving; });
}

void BlockingWork::Resume() {
  if (Guard::active()) return;
  MutexLock lock(g_mutex);
  if (g_quiescing != 0) --g_quiescing;
  pthread_cond_broadcast(&g_changed);
}

void BlockingWork::BeforeFork() { g_mutex.Lock(); }

void BlockingWork::AfterFork(bool in_child) {
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_mutex.Reinitialise();
  g_changed = PTHREAD_COND_INITIALIZER;
  g_working = g_parked = g_resolving = g_quiescing = 0;
  t_working = false;
}

NetworkWait::NetworkWait(For what) : what_(what) {
  if (!t_working) return;
  MutexLock lock(g_mutex);
  ++(what_ == For::kKdc ? g_parked : g_resolving);
  pthread_cond_broadcast(&g_changed);
}

NetworkWait::~NetworkWait() {
  if (!t_working) return;
  const int saved_errno = errno;
  MutexLock lock(g_mutex);
  if (what_ == For::kResolver) --g_resolving, ++g_parked;
  pthread_cond_broadcast(&g_changed);
  AwaitQuiet();
  --g_parked;
  errno = saved_errno;
}

timespec DeadlineIn(int milliseconds) {
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += milliseconds / 1000;
  until.tv_nsec += milliseconds % 1000 * 1'000'000L;
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  return until;
}

}  // namespace socksify
