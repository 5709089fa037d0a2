// One thread with one libuv loop and the sessions that were given to it.
#ifndef TOOLS_SOCKSD_GSS_WORKER_H_
#define TOOLS_SOCKSD_GSS_WORKER_H_

#include <uv.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "lib/base/result.h"
#include "tools/loop/crew.h"
#include "tools/loop/stream.h"
#include "tools/socksd-gss/session.h"

namespace socksify {

class Worker final : public SessionHost {
 public:
  // `ended` and `crew` must outlive the worker; the first is signalled whenever a session has
  // ended.
  Worker(uv_async_t* ended, Crew* crew) : ended_(ended) { buffers_.crew = crew; }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Status Start();

  // For the accepting thread. Takes over the connected descriptor, for a session by these rules.
  void Give(int fd, std::shared_ptr<const ServerRules> rules);
  size_t sessions() const { return sessions_.load(std::memory_order_relaxed); }

  // For the accepting thread, when no session is left: ends the thread and waits for it.
  void Join();

 private:
  struct Given {
    int fd;
    std::shared_ptr<const ServerRules> rules;
  };

  void Run();
  void OnWake();
  void Begin(Given given);
  void EndSession(Session* session) override;
  SlowLane& slow_lane() override { return slow_lane_; }

  uv_async_t* const ended_;
  std::atomic<size_t> sessions_ = 0;  // given, not ended
  uv_thread_t thread_ = {};
  uv_loop_t loop_ = {};
  uv_async_t wake_ = {};
  LoopBuffers buffers_;
  SlowLane slow_lane_{&loop_};

  std::mutex mutex_;  // leaf lock; guards the rest
  std::vector<Given> given_;
  bool stopping_ = false;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_WORKER_H_
