// One thread with one libuv loop and the sessions that were given to it.
#ifndef TOOLS_SOCKSD_GSS_WORKER_H_
#define TOOLS_SOCKSD_GSS_WORKER_H_

#include <uv.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "lib/base/result.h"
#include "tools/loop/stream.h"
#include "tools/socksd-gss/session.h"

namespace socksify {

class Worker final : public SessionHost {
 public:
  // `rules` and `ended` must outlive the worker. `ended` is signalled whenever a session has ended.
  Worker(const ServerRules& rules, uv_async_t* ended) : rules_(rules), ended_(ended) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Status Start();

  // For the accepting thread. Takes over the connected descriptor.
  void Give(int fd);
  size_t sessions() const { return sessions_.load(std::memory_order_relaxed); }

  // For the accepting thread, when no session is left: ends the thread and waits for it.
  void Join();

 private:
  void Run();
  void OnWake();
  void Begin(int fd);
  void EndSession(Session* session) override;

  const ServerRules& rules_;
  uv_async_t* const ended_;
  std::atomic<size_t> sessions_ = 0;  // given, not ended
  uv_thread_t thread_ = {};
  uv_loop_t loop_ = {};
  uv_async_t wake_ = {};
  ReadBuffer read_buffer_;

  std::mutex mutex_;  // leaf lock; guards the rest
  std::vector<int> given_;
  bool stopping_ = false;
};

}  // namespace socksify

#endif  // TOOLS_SOCKSD_GSS_WORKER_H_
