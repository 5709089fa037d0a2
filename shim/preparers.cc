#include "shim/preparers.h"

#include <cerrno>
#include <deque>
#include <utility>

#include "shim/blocking_work.h"
#include "shim/guard.h"
#include "shim/mutex.h"
#include "shim/service.h"
#include "shim/thread.h"

namespace socksify {
namespace {

constexpr unsigned kMostThreads = 8;     // that may wait for the KDC at the same time
constexpr int kIdleMilliseconds = 1000;  // then a thread goes

struct State {
  std::deque<std::shared_ptr<Preparation>> queue;
  unsigned threads = 0;
  unsigned idle = 0;      // of them
  bool retiring = false;  // the idle ones go at once
};

Mutex g_mutex;
pthread_cond_t g_work = PTHREAD_COND_INITIALIZER;  // there is some, or they retire
pthread_cond_t g_gone = PTHREAD_COND_INITIALIZER;  // a thread has

State& GetState() {  // guarded by g_mutex
  static State* state = new State();
  return *state;
}

// The next in the queue, waited for so long; nullptr when the thread should go, and then it is
// counted no more.
std::shared_ptr<Preparation> Take(int milliseconds) {
  const timespec until = DeadlineIn(milliseconds);
  MutexLock lock(g_mutex);
  State& state = GetState();
  ++state.idle;
  while (state.queue.empty() && !state.retiring &&
         pthread_cond_timedwait(&g_work, g_mutex.native(), &until) == 0) {
  }
  --state.idle;
  std::shared_ptr<Preparation> preparation;
  if (state.queue.empty()) {
    --state.threads;
    pthread_cond_broadcast(&g_gone);
  } else {
    preparation = std::move(state.queue.front());
    state.queue.pop_front();
  }
  return preparation;
}

void PrepareAll(int idle_milliseconds) {
  const Guard guard;
  while (std::shared_ptr<Preparation> preparation = Take(idle_milliseconds)) {
    {
      const BlockingWork work;
      auto next = Attempt::Next::kPrepare;
      while (preparation->item != nullptr && next == Attempt::Next::kPrepare) {
        next = preparation->attempt->Prepare();
      }
      preparation->next = next;
    }
    Service::Prepared(std::move(preparation));
  }
}

void* Serve(void*) {
  PrepareAll(kIdleMilliseconds);
  return nullptr;
}

}  // namespace

void Preparers::Enter(std::shared_ptr<Preparation> preparation) {
  bool start = false;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    state.queue.push_back(std::move(preparation));
    if (state.queue.size() > state.idle && state.threads < kMostThreads) {
      ++state.threads;
      start = true;
    }
    pthread_cond_signal(&g_work);
  }
  if (start && !StartThread(&Serve, nullptr)) PrepareAll(0);  // no thread to be had: do it here
}

unsigned Preparers::threads() {
  MutexLock lock(g_mutex);
  return GetState().threads;
}

bool Preparers::Retire(const timespec& until) {
  MutexLock lock(g_mutex);
  State& state = GetState();
  state.retiring = true;
  pthread_cond_broadcast(&g_work);
  while (state.threads != 0 && pthread_cond_timedwait(&g_gone, g_mutex.native(), &until) == 0) {
  }
  state.retiring = false;
  return state.threads == 0;
}

void Preparers::BeforeFork() { g_mutex.Lock(); }

void Preparers::AfterFork(bool in_child) {
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_mutex.Reinitialise();
  g_work = g_gone = PTHREAD_COND_INITIALIZER;
  State* parents = &GetState();
  new (parents) State();  // what the parent's threads hold is theirs
}

}  // namespace socksify
