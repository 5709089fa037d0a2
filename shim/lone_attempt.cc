#include "shim/lone_attempt.h"

#include <poll.h>
#include <semaphore.h>

#include <atomic>

#include "shim/blocking_work.h"
#include "shim/connection.h"
#include "shim/guard.h"
#include "shim/own_table.h"
#include "shim/real_calls.h"
#include "shim/thread.h"

namespace socksify {
namespace {

constexpr unsigned kThreadsEach = 2;
std::atomic<unsigned> g_attempts{0};

struct Work {
  ConnectionRef connection;
  int fd;
  std::unique_ptr<Attempt> attempt;
  uint32_t generation;
  sem_t* holds_socket;  // of who waits in Start

  void Negotiate();
};

// In the thread with descriptors of its own.
void Work::Negotiate() {
  sem_post(holds_socket);
  auto next = Attempt::Next::kPrepare;
  while (connection->IsConnecting(generation)) {
    switch (next) {
      case Attempt::Next::kEstablished:
        connection->Succeed(fd, *attempt, generation);
        return;
      case Attempt::Next::kFailed:
        connection->Fail(fd, attempt->error(), attempt->server(), generation);
        return;
      case Attempt::Next::kPrepare: {
        const BlockingWork work;
        next = attempt->Prepare();
        if (next == Attempt::Next::kFailed) continue;
        break;
      }
      default: {
        const short events = next == Attempt::Next::kWaitReadable ? POLLIN : POLLOUT;
        pollfd wait = {fd, events, 0};
        if (real::poll(&wait, 1, MillisecondsUntil(attempt->deadline())) != 0) break;
        connection->Fail(fd, attempt->TimeoutError(), attempt->server(), generation);
        return;
      }
    }
    next = attempt->Step(fd);
  }
}

void* Serve(void* argument) {
  const Guard guard;
  const std::unique_ptr<Work> work(static_cast<Work*>(argument));
  if (!RunWithOwnTable(work->fd, [&] { work->Negotiate(); })) {
    const Status error(Errc::kNetwork, "no descriptor is left");
    work->connection->Fail(work->fd, error, work->attempt->server(), work->generation);
    sem_post(work->holds_socket);
  }
  work->connection->Conclude(work->generation);
  --g_attempts;
  return nullptr;
}

}  // namespace

void LoneAttempt::Start(ConnectionRef connection, int fd, std::unique_ptr<Attempt> attempt) {
  sem_t holds_socket;
  sem_init(&holds_socket, 0, 0);
  const uint32_t generation = connection->generation();
  auto* work = new Work{std::move(connection), fd, std::move(attempt), generation, &holds_socket};
  ++g_attempts;
  if (!StartThread(&Serve, work)) (void)Serve(work);
  while (sem_wait(&holds_socket) != 0) {
  }
  sem_destroy(&holds_socket);
}

void LoneAttempt::AfterForkInChild() { g_attempts = 0; }

unsigned LoneAttempt::threads() { return g_attempts.load() * kThreadsEach; }

}  // namespace socksify
