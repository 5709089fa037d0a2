#include "tools/socksd-gss/slow_lane.h"

#include <utility>

namespace socksify {

void SlowLane::Add(SlowWork* work) {
  waiting_.push_back(work);
  if (running_ == nullptr) RunNext();
}

void SlowLane::RunNext() {
  if (waiting_.empty()) return;
  running_ = waiting_.front();
  waiting_.pop_front();
  (void)uv_queue_work(
      loop_, &request_,
      [](uv_work_t* request) { static_cast<SlowLane*>(request->data)->running_->Work(); },
      [](uv_work_t* request, int) {
        auto* self = static_cast<SlowLane*>(request->data);
        SlowWork* done = std::exchange(self->running_, nullptr);
        self->RunNext();
        done->OnWorked();
      });
}

}  // namespace socksify
