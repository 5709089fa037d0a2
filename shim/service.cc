#include "shim/service.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <utility>
#include <vector>

#include "shim/blocking_work.h"
#include "shim/connection.h"
#include "shim/guard.h"
#include "shim/home.h"
#include "shim/lone_attempt.h"
#include "shim/mutex.h"
#include "shim/own_descriptor.h"
#include "shim/preparers.h"
#include "shim/real_calls.h"
#include "shim/service_loop.h"
#include "shim/tail_sender.h"
#include "shim/thread.h"

namespace socksify {
namespace {

using Item = ServiceItem;
using Items = ServiceLoop::Items;

constexpr int kRetireMilliseconds = 300;

struct State {
  Items arrived;  // for the loop
  std::vector<std::shared_ptr<Preparation>> prepared;
  bool any_ended = false;  // a connection has
  bool looping = false;
  bool retiring = false;  // an idle loop goes at once
  int wake_event = -1;
  int epoll = -1;                 // with the wake event in it
  std::atomic<int> listener{-1};  // children ask on it
};

std::atomic<bool> g_main_left{false};  // without the process

Mutex g_mutex;
pthread_cond_t g_gone = PTHREAD_COND_INITIALIZER;  // the loop's thread has

State& GetState() {  // guarded by g_mutex
  static State* state = new State();
  return *state;
}

// Besides the service's threads there is one.
bool AreOnlyThreads(const State& state) {
  struct stat tasks;  // a link for each, and two for the directory itself
  if (stat("/proc/self/task", &tasks) != 0) return false;
  return tasks.st_nlink <=
         2u + 1 + (state.looping ? 1 : 0) + Preparers::threads() + LoneAttempt::threads();
}

void Wake(const State& state) {
  if (state.wake_event >= 0) (void)eventfd_write(state.wake_event, 1);
}

// Hands over what has arrived. False when there is nothing to do and the thread should go.
bool TakeArrived(ServiceLoop& loop) {
  bool asked = GetState().listener < 0 || Connection::AnyToAskFor();
  Items arrived;
  std::vector<std::shared_ptr<Preparation>> prepared;
  bool any_ended;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    arrived.swap(state.arrived);
    prepared.swap(state.prepared);
    any_ended = std::exchange(state.any_ended, false);
    // libc ends the process with the last thread, be it the service's. That of main() is one still.
    const bool forsaken = g_main_left && AreOnlyThreads(state);
    if (forsaken && state.listener >= 0) asked = false;
    loop.ListenOn(asked ? state.listener.load() : -1);
    if (state.listener >= 0 && !asked) {  // no child can want anything any more
      if (const int door = Home::Leave(); door >= 0) OwnDescriptor::Close(door);
      OwnDescriptor::Close(state.listener.exchange(-1));
    }
    if (loop.empty() && arrived.empty() && (loop.idle() || state.retiring || forsaken)) {
      state.looping = false;
      pthread_cond_broadcast(&g_gone);
      return false;
    }
  }
  loop.Enter(std::move(arrived));
  for (const auto& preparation : prepared) loop.Prepared(*preparation);
  if (any_ended) loop.LookForEnded();
  return true;
}

void* Serve(void*) {
  const Guard guard;
  ServiceLoop loop(GetState().epoll, GetState().wake_event);
  while (TakeArrived(loop)) loop.Await(g_main_left);
  return nullptr;
}

// Calls `add(state)` under the lock, and has the loop look at it. False, and nothing is added, when
// no descriptor or thread is to be had for the loop.
template <typename Function>
bool EnterLoop(Function add) {
  MutexLock lock(g_mutex);
  State& state = GetState();
  if (state.wake_event < 0)
    state.wake_event = OwnDescriptor::Adopt(real::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (state.wake_event < 0) return false;
  if (state.epoll < 0) state.epoll = ServiceLoop::NewEpoll(state.wake_event);
  if (state.epoll < 0) return false;
  if (!state.looping && !StartThread(&Serve, nullptr)) return false;
  add(state);
  if (std::exchange(state.looping, true)) Wake(state);
  return true;
}

}  // namespace

void Service::Negotiate(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt) {
  attempt->Begin(fd);
  const DescriptorHeadroom headroom;
  const int duplicate = headroom.enough() ? OwnDescriptor::Duplicate(fd) : -1;
  if (duplicate >= 0) {
    auto preparation = std::make_shared<Preparation>();
    preparation->attempt = std::move(attempt);
    Items item;
    item.push_back(
        {Item::Kind::kPrepare, connection, duplicate, preparation, connection->generation()});
    preparation->item = &item.front();
    if (EnterLoop([&](State& state) { state.arrived.splice(state.arrived.end(), item); })) {
      return Preparers::Enter(std::move(preparation));
    }
    OwnDescriptor::Close(duplicate);
    attempt = std::move(preparation->attempt);
  }
  LoneAttempt::Start(std::move(connection), fd, std::move(attempt));
}

void Service::Prepared(std::shared_ptr<Preparation> preparation) {
  MutexLock lock(g_mutex);
  State& state = GetState();
  state.prepared.push_back(std::move(preparation));
  ::socksify::Wake(state);
}

void Service::Flush(const ConnectionRef& connection, int fd) {
  const DescriptorHeadroom headroom;
  const int duplicate = OwnDescriptor::Duplicate(fd);
  if (duplicate >= 0) {
    Items item;
    item.push_back({Item::Kind::kFlush, connection, duplicate, nullptr});
    connection->set_flush_fd(duplicate);
    if (EnterLoop([&](State& state) { state.arrived.splice(state.arrived.end(), item); })) return;
    connection->set_flush_fd(-1);
    OwnDescriptor::Close(duplicate);
  }
  pollfd wait = {fd, 0, 0};  // then the tail goes out here and now
  while ((wait.events = connection->FlushTail(fd)) != 0) (void)real::poll(&wait, 1, -1);
}

void Service::Wake() {
  MutexLock lock(g_mutex);
  State& state = GetState();
  state.any_ended = true;
  ::socksify::Wake(state);
}

void Service::Listen(int listener) {
  auto add = [&](State& state) {
    if (listener >= 0) state.listener = listener;
  };
  if (EnterLoop(add)) return;
  if (listener >= 0) OwnDescriptor::Close(listener);
  MutexLock lock(g_mutex);  // children are told that nobody is at home
  State& state = GetState();
  if (const int door = Home::Leave(); door >= 0) OwnDescriptor::Close(door);
  if (state.listener >= 0) OwnDescriptor::Close(state.listener.exchange(-1));
}

void Service::SessionEnded() {
  if (Home::door() < 0) return;
  MutexLock lock(g_mutex);
  ::socksify::Wake(GetState());
}

bool Service::IsOnlyThread() {
  MutexLock lock(g_mutex);
  return AreOnlyThreads(GetState());
}

void Service::Retire() {
  if (Guard::active()) return;
  const timespec until = DeadlineIn(kRetireMilliseconds);
  bool looping;
  {
    MutexLock lock(g_mutex);
    State& state = GetState();
    state.retiring = true;
    ::socksify::Wake(state);
    while (state.looping && pthread_cond_timedwait(&g_gone, g_mutex.native(), &until) == 0) {
    }
    state.retiring = false;
    looping = state.looping;
  }
  if (!Preparers::Retire(until) || looping) return;  // they are at work
  // What has left the loop is about to leave the kernel's list.
  constexpr int kPatience = 1000;
  struct stat tasks;
  for (int i = 0; i < kPatience && stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3;
       ++i) {
    (void)sched_yield();
  }
}

void Service::MainLeaves() {
  g_main_left = true;
  MutexLock lock(g_mutex);
  ::socksify::Wake(GetState());
}

void Service::End(How how) {
  Home::StopAnswering();
  if (how == How::kInOrder) Connection::LetGoOfAll();
  std::vector<Connection::Tail> tails = Connection::TakeTails();
  if (!tails.empty()) SendTailsInNewProcess(tails);
}

void Service::BeforeFork() {
  g_mutex.Lock();
  Preparers::BeforeFork();
}

void Service::AfterFork(bool in_child) {
  Preparers::AfterFork(in_child);
  if (!in_child) {
    g_mutex.Unlock();
    return;
  }
  g_main_left = false;  // another thread has forked
  g_mutex.Reinitialise();
  g_gone = PTHREAD_COND_INITIALIZER;
  LoneAttempt::AfterForkInChild();
  State* parents = &GetState();
  new (parents) State();  // what the parent's threads hold is theirs
}

}  // namespace socksify
