#include "shim/service.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <vector>

#include "shim/connection.h"
#include "shim/guard.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/runtime.h"

namespace socksify {
namespace {

constexpr size_t kStackSize = 512 * 1024;  // libkrb5 and the resolver's modules run on it
constexpr unsigned kMaxPreparers = 8;      // threads that may wait for the KDC at the same time
constexpr int kIdleMilliseconds = 1000;    // then the loop's thread goes

// One connection in the service's hands.
struct Item {
  enum class Kind { kNegotiate, kFlush };
  Kind kind;
  ConnectionRef connection;
  int fd;            // a duplicate, the service's own
  short events = 0;  // to wait for; 0: go on at once
};

struct State {
  std::deque<Item> to_prepare;
  unsigned preparers = 0;
  std::vector<Item> arrived;  // for the loop
  bool looping = false;
  int wake_event = -1;
  size_t flushes = 0;  // items of kind kFlush anywhere
};

Mutex g_mutex;
pthread_cond_t g_flushed = PTHREAD_COND_INITIALIZER;

State& GetState() {  // guarded by g_mutex
  static State* state = new State();
  return *state;
}

bool StartThread(void* (*function)(void*)) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, function, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void EndItem(Item& item) {
  OwnDescriptor::Close(item.fd);
  if (item.kind != Item::Kind::kFlush) return;
  MutexLock lock(g_mutex);
  if (--GetState().flushes == 0) pthread_cond_broadcast(&g_flushed);
}

void FinishItem(Item& item, Attempt::Next outcome) {
  item.connection->Finish(item.fd, outcome);
  EndItem(item);
}

bool Cancelled(const Item& item) {
  return item.connection->phase() != Connection::Phase::kConnecting;
}

// --- the loop ------------------------------------------------------------------------------------

// Goes on with a negotiation. False when it is over.
bool StepNegotiation(Item& item);

bool StepFlush(Item& item) {
  if (item.connection->FlushTail(item.fd)) {
    item.events = POLLOUT;
    return true;
  }
  EndItem(item);
  return false;
}

bool Step(Item& item) {
  return item.kind == Item::Kind::kFlush ? StepFlush(item) : StepNegotiation(item);
}

bool Expired(const Item& item) {
  return item.kind == Item::Kind::kNegotiate &&
         item.connection->attempt->deadline() <= Deadline::clock::now();
}

int PollTimeout(const std::vector<Item>& items) {
  if (items.empty()) return kIdleMilliseconds;
  int timeout = -1;
  for (const Item& item : items) {
    if (item.kind != Item::Kind::kNegotiate) continue;
    const int left = MillisecondsUntil(item.connection->attempt->deadline());
    timeout = timeout < 0 ? left : std::min(timeout, left);
  }
  return timeout;
}

// Adds what has arrived. False when there is nothing to do and the thread should go.
bool TakeArrived(std::vector<Item>& items, bool idle, int* wake_event) {
  MutexLock lock(g_mutex);
  State& state = GetState();
  for (Item& item : state.arrived) items.push_back(std::move(item));
  state.arrived.clear();
  *wake_event = state.wake_event;
  if (!items.empty() || !idle) return true;
  state.looping = false;
  return false;
}

void* Loop(void*) {
  Guard guard;
  std::vector<Item> items;
  std::vector<pollfd> waits;
  bool idle = false;
  int wake_event;
  while (TakeArrived(items, idle, &wake_event)) {
    std::erase_if(items, [](Item& item) { return item.events == 0 && !Step(item); });
    waits.assign(1, {wake_event, POLLIN, 0});
    for (const Item& item : items) waits.push_back({item.fd, item.events, 0});
    const int ready = real::poll(waits.data(), waits.size(), PollTimeout(items));
    idle = ready == 0 && items.empty();
    if (waits[0].revents != 0) {
      eventfd_t count;
      (void)eventfd_read(wake_event, &count);
    }
    size_t index = 0;
    std::erase_if(items, [&](Item& item) {
      const pollfd& wait = waits[++index];
      if (item.kind == Item::Kind::kNegotiate && Cancelled(item)) {
        EndItem(item);
        return true;
      }
      if (wait.revents != 0) return !Step(item);
      if (!Expired(item)) return false;
      item.connection->attempt->Expire();
      FinishItem(item, Attempt::Next::kFailed);
      return true;
    });
  }
  return nullptr;
}

void EnterLoop(Item item) {
  bool start = false;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    if (state.wake_event < 0) {
      state.wake_event = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    state.arrived.push_back(std::move(item));
    start = !std::exchange(state.looping, true);
    if (!start) (void)eventfd_write(state.wake_event, 1);
  }
  if (start && !StartThread(&Loop)) (void)Loop(nullptr);  // no thread to be had: do it here
}

// --- preparation, which may block ----------------------------------------------------------------

void PrepareItem(Item item) {
  Attempt::Next next = Attempt::Next::kPrepare;
  while (next == Attempt::Next::kPrepare && !Cancelled(item)) next = item.connection->attempt->Prepare();
  if (Cancelled(item)) {
    EndItem(item);
  } else if (next == Attempt::Next::kFailed) {
    FinishItem(item, next);
  } else {
    item.events = 0;
    EnterLoop(std::move(item));
  }
}

void* PrepareAll(void*) {
  Guard guard;
  for (;;) {
    g_mutex.Lock();
    State& state = GetState();
    if (state.to_prepare.empty()) {
      --state.preparers;
      g_mutex.Unlock();
      return nullptr;
    }
    Item item = std::move(state.to_prepare.front());
    state.to_prepare.pop_front();
    g_mutex.Unlock();
    PrepareItem(std::move(item));
  }
}

void EnterPreparation(Item item) {
  bool start = false;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    state.to_prepare.push_back(std::move(item));
    if (state.preparers < kMaxPreparers) {
      ++state.preparers;
      start = true;
    }
  }
  if (start && !StartThread(&PrepareAll)) (void)PrepareAll(nullptr);
}

bool StepNegotiation(Item& item) {
  if (Cancelled(item)) {
    EndItem(item);
    return false;
  }
  const Attempt::Next next = item.connection->attempt->Step(item.fd);
  switch (next) {
    case Attempt::Next::kWaitReadable:
      item.events = POLLIN;
      return true;
    case Attempt::Next::kWaitWritable:
      item.events = POLLOUT;
      return true;
    case Attempt::Next::kPrepare:
      EnterPreparation(std::move(item));
      return false;
    case Attempt::Next::kEstablished:
    case Attempt::Next::kFailed:
      break;
  }
  FinishItem(item, next);
  return false;
}

}  // namespace

void Service::Negotiate(ConnectionRef connection, int fd, bool prepared) {
  Item item{Item::Kind::kNegotiate, std::move(connection), OwnDescriptor::Duplicate(fd)};
  if (item.fd < 0) {
    item.connection->attempt->FailWithErrno("no descriptor is left for the negotiation");
    item.connection->Finish(fd, Attempt::Next::kFailed);
  } else if (prepared) {
    EnterLoop(std::move(item));
  } else {
    EnterPreparation(std::move(item));
  }
}

void Service::Flush(ConnectionRef connection, int fd) {
  Item item{Item::Kind::kFlush, std::move(connection), OwnDescriptor::Duplicate(fd)};
  if (item.fd < 0) {  // then the tail goes out here and now
    pollfd wait = {fd, POLLOUT, 0};
    while (item.connection->FlushTail(fd)) (void)real::poll(&wait, 1, -1);
    return;
  }
  {
    MutexLock lock(g_mutex);
    ++GetState().flushes;
  }
  EnterLoop(std::move(item));
}

void Service::Wake() {
  MutexLock lock(g_mutex);
  if (GetState().wake_event >= 0) (void)eventfd_write(GetState().wake_event, 1);
}

void Service::Drain() {
  const Config* config = Runtime::LoadedConfig();
  if (config == nullptr) return;
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += config->timeout_seconds;
  MutexLock lock(g_mutex);
  while (GetState().flushes != 0) {
    if (pthread_cond_timedwait(&g_flushed, g_mutex.native(), &until) != 0) return;
  }
}

void Service::BeforeFork() { g_mutex.Lock(); }

void Service::AfterFork(bool in_child) {
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_mutex.Reinitialise();
  g_flushed = PTHREAD_COND_INITIALIZER;
  State* parents = &GetState();
  new (parents) State();  // what the parent's threads hold is theirs
}

}  // namespace socksify
