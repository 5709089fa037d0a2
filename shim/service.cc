#include "shim/service.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <vector>

#include "shim/blocking_work.h"
#include "shim/connection.h"
#include "shim/guard.h"
#include "shim/home.h"
#include "shim/lone_attempt.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/real_calls.h"
#include "shim/tail_sender.h"
#include "shim/thread.h"

namespace socksify {
namespace {

constexpr unsigned kMaxPreparers = 8;         // threads that may wait for the KDC at the same time
constexpr int kWithoutWakeMilliseconds = 20;  // when no descriptor was left for the wake event
constexpr int kRetireMilliseconds = 300;
constexpr int kIdleMilliseconds = 1000;  // then the loop's thread goes

// An attempt on its way through a preparer's thread. Shared, because the loop gives up at the
// deadline while the preparer still waits for the KDC; whoever comes last frees it.
struct Preparation {
  std::unique_ptr<Attempt> attempt;
  std::atomic<bool> done{false};
  Attempt::Next next = Attempt::Next::kPrepare;  // valid once done
};

// One connection in the loop's hands.
struct Item {
  enum class Kind { kPrepare, kNegotiate, kFlush };
  Kind kind;
  ConnectionRef connection;
  int fd;                                    // a duplicate, the service's own
  short events = 0;                          // to wait for; 0: nothing to poll
  std::shared_ptr<Preparation> preparation;  // unless kFlush; after kPrepare the loop's alone
  uint32_t generation = 0;                   // of the connection's attempts, this one

  Attempt& attempt() const { return *preparation->attempt; }
};

struct State {
  std::deque<std::shared_ptr<Preparation>> to_prepare;
  unsigned preparers = 0;     // threads
  std::vector<Item> arrived;  // for the loop
  bool looping = false;
  bool retiring = false;  // an idle loop goes at once
  int wake_event = -1;
  std::atomic<int> listener{-1};  // children ask on it
};

Mutex g_mutex;
pthread_cond_t g_gone = PTHREAD_COND_INITIALIZER;  // a thread of the service's has

State& GetState() {  // guarded by g_mutex
  static State* state = new State();
  return *state;
}

// --- preparation, which may block ----------------------------------------------------------------

void* PrepareAll(void*) {
  Guard guard;
  for (;;) {
    std::shared_ptr<Preparation> preparation;
    {
      MutexLock lock(g_mutex);
      State& state = GetState();
      if (state.to_prepare.empty()) {
        --state.preparers;
        pthread_cond_broadcast(&g_gone);
        return nullptr;
      }
      preparation = std::move(state.to_prepare.front());
      state.to_prepare.pop_front();
    }
    {
      const BlockingWork work;
      // One reference: the loop has given up meanwhile, and nobody wants it.
      while (preparation.use_count() > 1 && preparation->next == Attempt::Next::kPrepare) {
        preparation->next = preparation->attempt->Prepare();
      }
      preparation->done.store(true, std::memory_order_release);
      preparation.reset();
    }
    Service::Wake();
  }
}

void EnterPreparation(const std::shared_ptr<Preparation>& preparation) {
  bool start = false;
  preparation->done = false;
  preparation->next = Attempt::Next::kPrepare;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    state.to_prepare.push_back(preparation);
    if (state.preparers < kMaxPreparers) {
      ++state.preparers;
      start = true;
    }
  }
  if (start && !StartThread(&PrepareAll, nullptr))
    (void)PrepareAll(nullptr);  // no thread to be had
}

// --- the loop ------------------------------------------------------------------------------------
// Each of these goes on with an item and says whether it stays.

bool End(Item& item) {
  OwnDescriptor::Close(item.fd);
  return false;
}

bool Conclude(Item& item) {
  (void)End(item);
  item.connection->Conclude(item.generation);
  return false;
}

bool Fail(Item& item, const Status& error, const ServerEndpoint& server) {
  item.connection->Fail(item.fd, error, server, item.generation);
  return Conclude(item);
}

bool Negotiate(Item& item, Attempt::Next next) {
  switch (next) {
    case Attempt::Next::kWaitReadable:
      item.events = POLLIN;
      return true;
    case Attempt::Next::kWaitWritable:
      item.events = POLLOUT;
      return true;
    case Attempt::Next::kPrepare:  // the next server
      item.kind = Item::Kind::kPrepare;
      item.events = 0;
      EnterPreparation(item.preparation);
      return true;
    case Attempt::Next::kEstablished:
      item.connection->Succeed(item.fd, item.attempt(), item.generation);
      if (item.connection->detach_when_established() && !item.connection->Detach()) {
        return Fail(item, {Errc::kUnsupported, "the session cannot be detached"},
                    item.attempt().server());
      }
      return Conclude(item);
    case Attempt::Next::kFailed:
      break;
  }
  return Fail(item, item.attempt().error(), item.attempt().server());
}

bool FinishPreparation(Item& item) {
  item.kind = Item::Kind::kNegotiate;
  const Attempt::Next next = item.preparation->next;
  return Negotiate(item, next == Attempt::Next::kFailed ? next : item.attempt().Step(item.fd));
}

bool Flush(Item& item) {
  item.events = item.connection->FlushTail(item.fd);
  return item.events != 0 || End(item);
}

// `ready`: what was waited for has come, or the item is new.
bool Visit(Item& item, bool ready) {
  if (item.kind == Item::Kind::kFlush) {
    const bool ended = item.connection->phase() == Connection::Phase::kEnded;
    return (!ready && !ended) || Flush(item);
  }
  if (!item.connection->IsConnecting(item.generation)) return End(item);
  if (item.kind == Item::Kind::kPrepare) {
    if (item.preparation->done.load(std::memory_order_acquire)) return FinishPreparation(item);
  } else if (ready) {
    return Negotiate(item, item.attempt().Step(item.fd));
  }
  if (item.attempt().deadline() > Deadline::clock::now()) return true;
  return Fail(item, item.attempt().TimeoutError(), item.attempt().server());
}

int PollTimeout(const std::vector<Item>& items, int wake_event, int listener) {
  if (items.empty() && listener < 0) return kIdleMilliseconds;
  int timeout = wake_event < 0 ? kWithoutWakeMilliseconds : -1;
  for (const Item& item : items) {
    if (item.kind == Item::Kind::kFlush) continue;
    const int left = MillisecondsUntil(item.attempt().deadline());
    timeout = timeout < 0 ? left : std::min(timeout, left);
  }
  return timeout;
}

// Adds what has arrived. False when there is nothing to do and the thread should go.
bool TakeArrived(std::vector<Item>& items, bool idle, int* wake_event) {
  const bool wanted = GetState().listener < 0 || Connection::AnyToAskFor();
  MutexLock lock(g_mutex);
  State& state = GetState();
  for (Item& item : state.arrived) items.push_back(std::move(item));
  state.arrived.clear();
  *wake_event = state.wake_event;
  if (state.listener >= 0 && !wanted) {  // no child can want anything any more
    if (const int door = Home::Leave(); door >= 0) OwnDescriptor::Close(door);
    OwnDescriptor::Close(state.listener.exchange(-1));
  }
  if (!items.empty() || (!idle && !state.retiring) || state.listener >= 0) return true;
  state.looping = false;
  pthread_cond_broadcast(&g_gone);
  return false;
}

void* Loop(void*) {
  Guard guard;
  std::vector<Item> items;
  std::vector<pollfd> waits;
  size_t known = 0;  // items that have been visited; those behind are new
  bool idle = false;
  int wake_event;
  while (TakeArrived(items, idle, &wake_event)) {
    while (known < items.size()) {  // what they wait for may have come before they did
      const bool ready = items[known].kind == Item::Kind::kFlush;
      if (Visit(items[known], ready)) {
        ++known;
      } else {
        items.erase(items.begin() + static_cast<ptrdiff_t>(known));
      }
    }
    const int listener = GetState().listener;
    waits.assign({{wake_event, POLLIN, 0}, {listener, POLLIN, 0}});
    for (const Item& item : items)
      waits.push_back({item.events != 0 ? item.fd : -1, item.events, 0});
    const int ready =
        real::poll(waits.data(), waits.size(), PollTimeout(items, wake_event, listener));
    idle = ready == 0 && items.empty();
    if (waits[0].revents != 0) {
      eventfd_t count;
      (void)eventfd_read(wake_event, &count);
    }
    if (waits[1].revents != 0) Home::AnswerOne(listener);
    size_t index = 1;
    std::erase_if(items, [&](Item& item) { return !Visit(item, waits[++index].revents != 0); });
    known = items.size();
  }
  return nullptr;
}

// Calls `add(state)` under the lock, and has the loop look at it. False when no thread is to be
// had.
template <typename Function>
bool EnterLoop(Function add) {
  bool start = false;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    if (state.wake_event < 0) {
      state.wake_event = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    add(state);
    start = !std::exchange(state.looping, true);
    if (!start) (void)eventfd_write(state.wake_event, 1);
  }
  return !start || StartThread(&Loop, nullptr);
}

void EnterLoop(Item item) {
  auto add = [&](State& state) { state.arrived.push_back(std::move(item)); };
  if (!EnterLoop(add)) (void)Loop(nullptr);  // no thread to be had: do it here
}

}  // namespace

void Service::Negotiate(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt) {
  const DescriptorHeadroom headroom;
  const int duplicate = headroom.enough() ? OwnDescriptor::Duplicate(fd) : -1;
  if (duplicate < 0) {
    LoneAttempt::Start(std::move(connection), fd, std::move(attempt));
    return;
  }
  auto preparation = std::make_shared<Preparation>();
  preparation->attempt = std::move(attempt);
  const uint32_t generation = connection->generation();
  EnterLoop({Item::Kind::kPrepare, std::move(connection), duplicate, 0, preparation, generation});
  EnterPreparation(preparation);
}

void Service::Flush(ConnectionRef connection, int fd) {
  const DescriptorHeadroom headroom;
  Item item{Item::Kind::kFlush, std::move(connection), OwnDescriptor::Duplicate(fd), 0, nullptr, 0};
  if (item.fd < 0) {  // then the tail goes out here and now
    pollfd wait = {fd, 0, 0};
    while ((wait.events = item.connection->FlushTail(fd)) != 0) (void)real::poll(&wait, 1, -1);
    return;
  }
  item.connection->set_flush_fd(item.fd);
  EnterLoop(std::move(item));
}

Attempt::Next Service::Prepare(Attempt& attempt) {
  const BlockingWork work;
  return attempt.Prepare();
}

void Service::Wake() {
  MutexLock lock(g_mutex);
  if (GetState().wake_event >= 0) (void)eventfd_write(GetState().wake_event, 1);
}

void Service::Listen(int listener) {
  auto add = [&](State& state) {
    if (listener >= 0) state.listener = listener;
  };
  if (EnterLoop(add)) return;
  MutexLock lock(g_mutex);  // no thread to be had: children are told that nobody is at home
  State& state = GetState();
  state.looping = false;
  if (const int door = Home::Leave(); door >= 0) OwnDescriptor::Close(door);
  if (state.listener >= 0) OwnDescriptor::Close(state.listener.exchange(-1));
}

void Service::SessionEnded() {
  if (Home::door() >= 0) Wake();
}

bool Service::IsOnlyThread() {
  struct stat tasks;  // a link for each, and two for the directory itself
  if (stat("/proc/self/task", &tasks) != 0) return false;
  MutexLock lock(g_mutex);
  const State& state = GetState();
  return tasks.st_nlink <=
         2u + 1 + (state.looping ? 1 : 0) + state.preparers + LoneAttempt::threads();
}

void Service::Retire() {
  if (Guard::active()) return;
  const timespec until = DeadlineIn(kRetireMilliseconds);
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    state.retiring = true;
    if (state.looping && state.wake_event >= 0) (void)eventfd_write(state.wake_event, 1);
    while ((state.looping || state.preparers != 0) &&
           pthread_cond_timedwait(&g_gone, g_mutex.native(), &until) == 0) {
    }
    state.retiring = false;
    if (state.looping || state.preparers != 0) return;  // they are at work
  }
  // What has left the loop is about to leave the kernel's list.
  constexpr int kPatience = 1000;
  struct stat tasks;
  for (int i = 0; i < kPatience && stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
       ++i) {
    (void)sched_yield();
  }
}

void Service::End(How how) {
  Home::StopAnswering();
  if (how == How::kInOrder) Connection::LetGoOfAll();
  std::vector<Connection::Tail> tails = Connection::TakeTails();
  if (!tails.empty()) SendTailsInNewProcess(tails);
}

void Service::BeforeFork() { g_mutex.Lock(); }

void Service::AfterFork(bool in_child) {
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_mutex.Reinitialise();
  g_gone = PTHREAD_COND_INITIALIZER;
  LoneAttempt::AfterForkInChild();
  State* parents = &GetState();
  new (parents) State();  // what the parent's threads hold is theirs
}

}  // namespace socksify
